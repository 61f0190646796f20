// Finds a place in what is sorted, by halving. Pure.

/**
 * The first index in `from` up to, not including, `to` that lies beyond; `to` when none does. What follows one that lies
 * beyond must lie beyond too.
 */
export function firstIndex(
  span: { readonly from: number; readonly to: number },
  isBeyond: (index: number) => boolean,
): number {
  let low = span.from;
  let high = span.to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBeyond(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
