/** Whole days since a moment; undefined where there is none. */
export function daysSince(moment: unknown, now = Date.now()): number | undefined {
  const at = typeof moment === 'string' ? Date.parse(moment) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, Math.floor((now - at) / 86_400_000));
}
