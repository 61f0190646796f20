// The eventTime of accepted records as whole seconds since 1970. Pure.

const secondsMax = 2 ** 32 - 1;

/** Remembers the last text: records come in bursts of one second. Outside of 1970 to 2106 it is the nearest of them. */
export class EventSeconds {
  #text = "";
  #seconds = 0;

  of(text: string): number {
    if (text !== this.#text) {
      this.#text = text;
      this.#seconds = secondsOf(text);
    }
    return this.#seconds;
  }
}

/** Takes `YYYY-MM-DDTHH:MM:SSZ`, which every accepted record has; 0 for anything else. */
export function secondsOf(text: string): number {
  if (text.length !== 20) return 0;
  const days = daysSince1970(numberAt(text, 0, 4), numberAt(text, 5, 2), numberAt(text, 8, 2));
  const seconds = (numberAt(text, 11, 2) * 60 + numberAt(text, 14, 2)) * 60 + numberAt(text, 17, 2);
  const all = days * 86_400 + seconds;
  return all >= 0 ? Math.min(secondsMax, all) : 0;
}

function numberAt(text: string, start: number, digits: number): number {
  let number = 0;
  for (let at = start; at < start + digits; at += 1) number = number * 10 + text.charCodeAt(at) - 0x30;
  return number;
}

/** Of the Gregorian calendar, whose year begins in March here: leap days then come last. */
function daysSince1970(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1;
  const marchMonth = month > 2 ? month - 3 : month + 9;
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400);
  return marchYear * 365 + leapDays + Math.floor((153 * marchMonth + 2) / 5) + day - 719_469;
}
