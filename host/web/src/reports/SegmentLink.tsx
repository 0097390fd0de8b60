import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import type { Schemas } from '~/api/client';
import { useObjects } from '~/api/objects';
import { segmentationsQuery } from '~/api/queries';
import { MembersLink, membersAt } from '~/segments/MembersLink';
import type { Panel } from './drawing';

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
  const found = segmentOfWord(segmentation, value);
  return found ? <MembersLink segmentation={segmentation} value={found} /> : word;
}

/** Leads to the members of the segment that a row of a panel names; nothing where no column names segments. */
export function useOpenSegment(panel: Panel, segmentations: ReadonlyMap<string, Schemas['Segmentation']>) {
  const navigate = useNavigate();
  const objects = useObjects();
  const named = panel.columns.flatMap((column) => {
    const segmentation = column.type === 'text' ? segmentations.get(column.name) : undefined;
    return segmentation ? [{ segmentation, words: column.values }] : [];
  });
  const [first] = named;
  const open = (row: number) => {
    const word = first?.words[row];
    const found = first && typeof word === 'string' ? segmentOfWord(first.segmentation, word) : undefined;
    const object = first && objects.byName(first.segmentation.object);
    if (found && object) {
      void navigate(membersAt(object, first.segmentation.name, found.value));
    }
  };
  return first && open;
}

function segmentOfWord(segmentation: Schemas['Segmentation'], word: string) {
  return segmentation.values.find((one) => one.value === word || one.label?.en === word);
}
