export interface Difference {
  /** Where it is: `reasons.0.text`. */
  readonly at: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** Where two answers differ, in the order of the first. */
export function differences(before: unknown, after: unknown, at = ''): Difference[] {
  if (isTree(before) && isTree(after) && Array.isArray(before) === Array.isArray(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => differences(before[key], after[key], at ? `${at}.${key}` : key));
  }
  return Object.is(before, after) ? [] : [{ at, before: before ?? null, after: after ?? null }];
}

function isTree(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
