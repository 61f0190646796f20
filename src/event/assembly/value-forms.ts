// AssemblyScript. The forms of eventTime and eventID, as event/required.ts has them; what does not pass here is looked at there.

/** `YYYY-MM-DDTHH:MM:SSZ`, and a time that exists; second 60 is a leap second. */
export function isEventTime(start: usize, end: usize): bool {
  if (end - start != 20) return false;
  const year = twoDigits(start) * 100 + twoDigits(start + 2);
  const month = twoDigits(start + 5);
  const day = twoDigits(start + 8);
  const hour = twoDigits(start + 11);
  const minute = twoDigits(start + 14);
  const second = twoDigits(start + 17);
  // A pair that is no number is negative, and so is what it is part of.
  if ((year | month | day | hour | minute | second) < 0) return false;
  const isPunctuated =
    load<u8>(start, 4) == 0x2d &&
    load<u8>(start, 7) == 0x2d &&
    load<u8>(start, 10) == 0x54 &&
    load<u8>(start, 13) == 0x3a &&
    load<u8>(start, 16) == 0x3a &&
    load<u8>(start, 19) == 0x5a;
  if (!isPunctuated || hour > 23 || minute > 59 || second > 60) return false;
  return month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month);
}

/** Far enough below zero that no sum with another pair is a number. */
const noNumber: i32 = -100000;

function twoDigits(at: usize): i32 {
  const tens = <u32>load<u8>(at) - 0x30;
  const ones = <u32>load<u8>(at, 1) - 0x30;
  return tens < 10 && ones < 10 ? <i32>(tens * 10 + ones) : noNumber;
}

function daysOf(year: i32, month: i32): i32 {
  if (month == 2) return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/** The form of a UUID, of digits and letters. */
export function isEventId(start: usize, end: usize): bool {
  if (end - start != 36) return false;
  // Hyphens at 8, 13, 18 and 23: a bit for each byte that is one, one for each that is a digit or a letter.
  const hyphens = hyphensIn(start) | (hyphensIn(start + 16) << 16);
  if (hyphens != 0x00842100 || hyphensIn(start + 20) >> 4 != 0) return false;
  const others = alphanumericsIn(start) | (alphanumericsIn(start + 16) << 16);
  return others == ~0x00842100 && alphanumericsIn(start + 20) >> 4 == 0xfff;
}

// @ts-ignore: decorator
@inline
function hyphensIn(at: usize): i32 {
  return i8x16.bitmask(i8x16.eq(v128.load(at), i8x16.splat(0x2d)));
}

// @ts-ignore: decorator
@inline
function alphanumericsIn(at: usize): i32 {
  const bytes = v128.load(at);
  const digits = i8x16.le_u(i8x16.sub(bytes, i8x16.splat(0x30)), i8x16.splat(9));
  const lower = v128.or(bytes, i8x16.splat(0x20));
  const letters = i8x16.le_u(i8x16.sub(lower, i8x16.splat(0x61)), i8x16.splat(25));
  return i8x16.bitmask(v128.or(digits, letters));
}
