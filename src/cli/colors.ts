// When a command's output has colours, and which. Pure.
import { printable } from "./printable.ts";

export type Color = "red" | "green" | "yellow" | "cyan" | "dim";
export type Paint = (color: Color, text: string) => string;

const codes: Readonly<Record<Color, number>> = { red: 31, green: 32, yellow: 33, cyan: 36, dim: 2 };

export const plain: Paint = (_color, text) => text;
const painted: Paint = (color, text) => `\u001b[${codes[color]}m${text}\u001b[0m`;

/** `--color auto|always|never`; `auto` is colours on a terminal, unless NO_COLOR is set (no-color.org). */
export function paintOf(
  wish: string | undefined,
  {
    environment,
    isOutTty,
  }: { readonly environment: Readonly<Record<string, string | undefined>>; readonly isOutTty: boolean },
): Paint | { readonly problem: string } {
  switch (wish) {
    case "always":
      return painted;
    case "never":
      return plain;
    case undefined:
    case "auto":
      return isOutTty && (environment["NO_COLOR"] ?? "") === "" ? painted : plain;
    default:
      return { problem: `--color: ${printable(JSON.stringify(wish))} is not auto, always or never.` };
  }
}
