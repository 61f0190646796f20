// The rules for bucket names (formats.md §2.5). Pure. What is accepted here is also safe as a folder name.

/** Whether `name` is 3-63 of [a-z0-9.-], its labels begin and end with a letter or digit, and it is no IP address. */
export function isBucketName(name: string): boolean {
  if (name.length < 3 || name.length > 63 || /^\d+\.\d+\.\d+\.\d+$/.test(name)) return false;
  return name.split(".").every((label) => /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(label));
}
