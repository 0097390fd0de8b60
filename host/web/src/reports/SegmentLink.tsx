import { Anchor } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type Schemas, segmentOf } from '~/api/client';
import { useObjects } from '~/api/objects';
import { segmentationsQuery } from '~/api/queries';
import { useWords } from '~/i18n/hooks';

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

/** A segment, known by its name or by what it is called in English, leading to its customers. Anything else is said as it is. */
export function SegmentLink({ segmentation, value, word }: Props) {
  const { label } = useWords();
  const object = useObjects().byName(segmentation.object);
  const found = segmentation.values.find((one) => one.value === value || one.label?.en === value);
  if (!object || !found) {
    return word;
  }
  return (
    <Anchor
      inherit
      renderRoot={(props) => (
        <Link
          to="/objects/$objects"
          params={{ objects: segmentOf(object) }}
          search={{ filter: { field: `segment.${segmentation.name}`, op: 'in', value: [found.value] } }}
          {...props}
        />
      )}
    >
      {label(found.label) || word}
    </Anchor>
  );
}
