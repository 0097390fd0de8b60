import { Anchor } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { type ObjectDefinition, type Schemas, segmentOf } from '~/api/client';
import { useObjects } from '~/api/objects';
import { useWords } from '~/i18n/hooks';

interface Props {
  readonly segmentation: Schemas['Segmentation'];
  readonly value: Schemas['Segmentation']['values'][number];
}

/** A segment by what it is called, leading to the list of its members. */
export function MembersLink({ segmentation, value }: Props) {
  const { label } = useWords();
  const object = useObjects().byName(segmentation.object);
  const name = label(value.label) || value.value;
  if (!object) {
    return name;
  }
  return (
    <Anchor inherit renderRoot={(props) => <Link {...membersAt(object, segmentation.name, value.value)} {...props} />}>
      {name}
    </Anchor>
  );
}

/** Where the list of a segment's members is. */
export function membersAt(object: ObjectDefinition, segmentation: string, value: string) {
  const filter = { field: `segment.${segmentation}`, op: 'in', value: [value] };
  return { to: '/objects/$objects', params: { objects: segmentOf(object) }, search: { filter } } as const;
}
