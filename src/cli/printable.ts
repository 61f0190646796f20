// Texts from elsewhere (names in buckets, messages of stores) made safe for a terminal. Pure.

/** Control and formatting characters, line breaks among them, become `\u001b`, which is also how JSON writes them. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, escapeCharacter);
}

/** A value as indented JSON, safe for a terminal and still the same value. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value, undefined, 2).split("\n").map(printable).join("\n");
}

function escapeCharacter(character: string): string {
  return character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}
