import { Card, Stack, Text } from '@mantine/core';
import type { AnyRecord, ObjectDefinition } from '~/api/client';
import { FieldValue } from '~/fields/FieldValue';
import { type Included, isEmpty } from '~/fields/values';
import { useWords } from '~/i18n/hooks';
import { type Layout, sectionsOf } from '~/objects/layout';

const SHOWN_MAX = 10;
/** What other programs call it says nothing to a person; it stands among the details. */
const KNOWN_ELSEWHERE = ['external_id'];

interface Props {
  readonly object: ObjectDefinition;
  readonly record: AnyRecord;
  readonly layout: Layout | undefined;
  readonly included: Included | undefined;
}

/** The fields that say who it is, those that are filled in. */
export function KeyFields({ object, record, layout, included }: Props) {
  const { t, label } = useWords();
  const fields = sectionsOf(object, layout)
    .slice(0, 2)
    .flatMap((section) => section.fields)
    .filter((field) => !KNOWN_ELSEWHERE.includes(field.name) && field.name !== object.title && !isEmpty(record[field.name]))
    .slice(0, SHOWN_MAX);
  return (
    <Card withBorder padding="sm">
      {fields.length === 0 ? (
        <Text fz="sm" c="dimmed">
          {t('record.nothingFilledIn')}
        </Text>
      ) : (
        <Stack component="dl" gap={6} m={0}>
          {fields.map((field) => (
            <div key={field.name}>
              <Text component="dt" fz="xs" c="dimmed">
                {label(field.label)}
              </Text>
              <Text component="dd" fz="sm" m={0}>
                <FieldValue field={field} value={record[field.name]} included={included} />
              </Text>
            </div>
          ))}
        </Stack>
      )}
    </Card>
  );
}
