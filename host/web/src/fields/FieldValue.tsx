import { Anchor, Badge, Group, Text } from '@mantine/core';
import { IconCheck, IconMinus } from '@tabler/icons-react';
import type { Field } from '~/api/client';
import { useObjects } from '~/api/objects';
import { RecordLink } from '~/components/RecordLink';
import { useWords } from '~/i18n/hooks';
import { asText, type Included, isEmpty, isMoney, optionOf } from './values';

interface Props {
  readonly field: Field;
  readonly value: unknown;
  readonly included?: Included | undefined;
  /** One line, for a cell; otherwise all of it. */
  readonly short?: boolean;
}

/** A value as people read it. */
export function FieldValue({ field, value, included, short }: Props) {
  const { label, formats, t } = useWords();
  if (isEmpty(value)) {
    return short ? null : (
      <Text span c="dimmed" aria-label={t('field.empty')}>
        –
      </Text>
    );
  }
  switch (field.type) {
    case 'text':
      return <TextValue field={field} text={asText(value)} short={short ?? false} />;
    case 'number':
    case 'integer':
      return typeof value === 'number' ? formats.number(value) : asText(value);
    case 'money':
      return isMoney(value) ? formats.money(value) : asText(value);
    case 'bool':
      return value === true ? (
        <IconCheck size={18} role="img" aria-label={t('yes')} />
      ) : (
        <IconMinus size={18} role="img" aria-label={t('no')} />
      );
    case 'date':
      return formats.date(asText(value));
    case 'time':
      return <time dateTime={asText(value)}>{formats.time(asText(value))}</time>;
    case 'choice': {
      const option = optionOf(field, value);
      return (
        <Badge variant="light" tt="none" fw={500} radius="sm" maw="100%">
          {option ? label(option.label) : asText(value)}
        </Badge>
      );
    }
    case 'multi_choice':
    case 'list':
      return (
        <ListValue field={field} values={Array.isArray(value) ? value : [value]} included={included} short={short ?? false} />
      );
    case 'reference':
      return <Reference object={field.object} id={asText(value)} included={included} />;
    case 'json':
      return (
        <Text span ff="monospace" fz="sm" truncate={short ?? false} style={short ? undefined : { whiteSpace: 'pre-wrap' }}>
          {short ? JSON.stringify(value) : JSON.stringify(value, null, 2)}
        </Text>
      );
    default:
      return unknownType(field.type, value);
  }
}

/** The compiler says here when there is a type that nobody draws; a server that is newer than this page is no reason for a blank. */
function unknownType(_: never, value: unknown) {
  return asText(value);
}

function TextValue({ field, text, short }: { field: Field; text: string; short: boolean }) {
  if (field.format === 'email') {
    return (
      <Anchor inherit href={`mailto:${text}`}>
        {text}
      </Anchor>
    );
  }
  if (field.format === 'phone') {
    return (
      <Anchor inherit href={`tel:${text}`}>
        {text}
      </Anchor>
    );
  }
  if (field.format === 'url' && /^https?:\/\//i.test(text)) {
    return (
      <Anchor inherit href={text} target="_blank" rel="noopener noreferrer nofollow">
        {text}
      </Anchor>
    );
  }
  return short ? text : <span style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{text}</span>;
}

function ListValue({
  field,
  values,
  included,
  short,
}: {
  field: Field;
  values: unknown[];
  included: Included | undefined;
  short: boolean;
}) {
  const { label } = useWords();
  const one = (value: unknown) => {
    if (field.of?.type === 'reference') {
      return <Reference key={asText(value)} object={field.of.object ?? field.object} id={asText(value)} included={included} />;
    }
    const option = optionOf(field, value);
    return (
      <Badge key={asText(value)} variant="default" tt="none" fw={400} radius="sm">
        {option ? label(option.label) : asText(value)}
      </Badge>
    );
  };
  return (
    <Group component="span" gap={4} wrap={short ? 'nowrap' : 'wrap'}>
      {values.map(one)}
    </Group>
  );
}

function Reference({ object, id, included }: { object: string | undefined; id: string; included: Included | undefined }) {
  const definition = useObjects().byName(object);
  if (!definition) {
    return (
      <Text span c="dimmed">
        {id}
      </Text>
    );
  }
  const along = included?.[definition.plural]?.[id];
  return <RecordLink object={definition} id={id} title={along ? asText(along[definition.title]) : undefined} />;
}
