export interface Compared {
  readonly value: unknown;
  /** Of those that are chosen, from 0 to 1. */
  readonly share: number;
  /** Of all. */
  readonly baseShare: number;
  /** The one in percent of the other: 100 is the same, 200 twice as often. */
  readonly index: number;
}

/** Shares of values among some records beside their shares among all, in the order of all. */
export function compared(base: ReadonlyMap<unknown, number>, chosen: ReadonlyMap<unknown, number>): Compared[] {
  const sum = (counts: ReadonlyMap<unknown, number>) => [...counts.values()].reduce((total, count) => total + count, 0);
  const [all, some] = [sum(base), sum(chosen)];
  return [...base].map(([value, count]) => {
    const baseShare = all > 0 ? count / all : 0;
    const share = some > 0 ? (chosen.get(value) ?? 0) / some : 0;
    return { value, share, baseShare, index: baseShare > 0 ? (share / baseShare) * 100 : 0 };
  });
}
