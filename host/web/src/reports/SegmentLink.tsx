import { useQuery } from '@tanstack/react-query';
import type { Schemas } from '~/api/client';
import { segmentationsQuery } from '~/api/queries';
import { MembersLink } from '~/segments/MembersLink';

/** The segmentations of a plugin, by their names there: a column of a report that is called as one of them leads to its segments. */
export function useSegmentations(plugin: string): ReadonlyMap<string, Schemas['Segmentation']> {
  const all = useQuery(segmentationsQuery).data ?? [];
  const named = all.flatMap((one) => {
    const source = one.source as { plugin?: string; output?: string } | undefined;
    return source?.plugin === plugin && source.output ? ([[source.output, one]] as const) : [];
  });
  return new Map(named);
}

interface Props {
  readonly segmentation: Schemas['Segmentation'];
  readonly value: string;
  /** What the report says for it. */
  readonly word: string;
}

/** A segment, known by its name or by what it is called in English, leading to its members. Anything else is said as it is. */
export function SegmentLink({ segmentation, value, word }: Props) {
  const found = segmentation.values.find((one) => one.value === value || one.label?.en === value);
  return found ? <MembersLink segmentation={segmentation} value={found} /> : word;
}
