// The rules of a trail name, in the order the service checks them (api.md §2.2). Pure.
import { apiError } from "../model/errors.ts";

const lengthMin = 3;
const lengthMax = 128;

/** Returns the name, or throws the InvalidTrailNameException of the first rule it breaks. */
export function checkTrailName(name: string | undefined): string {
  if (name === undefined || name.trim() === "") throw apiError("InvalidTrailNameException.blank");
  const n = name.length;
  if (n < lengthMin) throw apiError("InvalidTrailNameException.tooShort", { n });
  if (n > lengthMax) throw apiError("InvalidTrailNameException.tooLong", { n });
  if (!/^[A-Za-z0-9]/.test(name)) throw apiError("InvalidTrailNameException.start");
  if (!/[A-Za-z0-9]$/.test(name)) throw apiError("InvalidTrailNameException.end");
  if (!/^[A-Za-z0-9._-]+$/.test(name)) throw apiError("InvalidTrailNameException.characters");
  if (/[._-]{2}/.test(name)) throw apiError("InvalidTrailNameException.adjacent");
  if (/^\d+\.\d+\.\d+\.\d+$/.test(name)) throw apiError("InvalidTrailNameException.ipAddress");
  return name;
}
