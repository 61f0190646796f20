// The event sources that a network activity selector may name (api.md §5.5). Pure facts.
// The vendor's list grows every month, so the form decides and there is no list to fall behind.

const sourceForm = /^[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com$/;

/** Whether `text` has the form of an AWS service's event source. */
export function isNetworkActivitySource(text: string): boolean {
  return sourceForm.test(text);
}
