// The eventTime of accepted records as whole seconds since 1970. Pure.

const secondsMax = 2 ** 32 - 1;

const textBytes = 20;

/** Remembers the last text: records come in bursts of one second. Outside of 1970 to 2106 it is the nearest of them. */
export class EventSeconds {
  readonly #text = new Uint8Array(textBytes);
  #seconds = 0;

  /** Takes `YYYY-MM-DDTHH:MM:SSZ`, which every accepted record has; 0 for anything else. */
  of(text: string): number {
    return text.length === textBytes ? this.at(Buffer.from(text, "latin1"), 0) : 0;
  }

  /** Of such a text that stands in a body. */
  at(body: Uint8Array, start: number): number {
    const known = this.#text;
    let isKnown = true;
    // From its end, where it differs if it does.
    for (let at = textBytes - 1; at >= 0; at -= 1) {
      const code = body[start + at] ?? 0;
      if (known[at] === code) continue;
      known[at] = code;
      isKnown = false;
    }
    if (!isKnown) this.#seconds = secondsOf(known);
    return this.#seconds;
  }
}

function secondsOf(text: Uint8Array): number {
  const days = daysSince1970(numberAt(text, 0, 4), numberAt(text, 5, 2), numberAt(text, 8, 2));
  const seconds = (numberAt(text, 11, 2) * 60 + numberAt(text, 14, 2)) * 60 + numberAt(text, 17, 2);
  const all = days * 86_400 + seconds;
  return all >= 0 ? Math.min(secondsMax, all) : 0;
}

function numberAt(text: Uint8Array, start: number, digits: number): number {
  let number = 0;
  for (let at = start; at < start + digits; at += 1) number = number * 10 + (text[at] ?? 0) - 0x30;
  return number;
}

/** Of the Gregorian calendar, whose year begins in March here: leap days then come last. */
function daysSince1970(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1;
  const marchMonth = month > 2 ? month - 3 : month + 9;
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400);
  return marchYear * 365 + leapDays + Math.floor((153 * marchMonth + 2) / 5) + day - 719_469;
}
