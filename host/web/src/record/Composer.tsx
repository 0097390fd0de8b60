import { Button, Card, Group, SegmentedControl, Stack, Textarea, TextInput } from '@mantine/core';
import { DateInput } from '@mantine/dates';
import { useMutation } from '@tanstack/react-query';
import { type KeyboardEvent, useState } from 'react';
import { forgetRecords } from '~/api/cache';
import { type AnyRecord, answer, api, type ObjectDefinition, segmentOf } from '~/api/client';
import { type Objects, useObjects } from '~/api/objects';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';
import { marked } from './mentions';
import { NoteInput } from './NoteInput';

const KINDS = ['note', 'phone', 'email', 'meeting', 'task'] as const;
type Kind = (typeof KINDS)[number];

interface Draft {
  readonly subject: string;
  readonly text: string;
  readonly due: string | null;
  /** The users whom the text mentions, by the name that stands in it. */
  readonly mentioned: ReadonlyMap<string, string>;
}

const NOTHING: Draft = { subject: '', text: '', due: null, mentioned: new Map() };

interface Props {
  readonly object: ObjectDefinition;
  readonly record: AnyRecord;
  readonly onDone: () => void;
}

/** Writes down a note, a call, an e-mail, a meeting, or what has to be done. */
export function Composer({ object, record, onDone }: Props) {
  const { t } = useWords();
  const objects = useObjects();
  const kinds = KINDS.filter((kind) => targetOf(kind, object, objects));
  const [kind, setKind] = useState<Kind>('note');
  const [draft, setDraft] = useState(NOTHING);
  const save = useMutation({
    mutationFn: () => {
      const { target, fields } = written(kind, draft, object, record, objects);
      return answer(api.POST('/api/v1/{objects}', { params: { path: { objects: segmentOf(target) } }, body: fields }));
    },
    onSuccess: () => {
      setDraft(NOTHING);
      void forgetRecords(object.name);
      onDone();
    },
  });
  const set = (change: Partial<Draft>) => setDraft((old) => ({ ...old, ...change }));
  const complete = kind === 'note' ? draft.text.trim() : draft.subject.trim();
  const user = objects.byName('user');
  const onKey = (event: KeyboardEvent) => {
    if ((event.ctrlKey || event.metaKey) && event.key === 'Enter' && complete) {
      save.mutate();
    }
  };
  return (
    <Card withBorder padding="sm">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <Stack gap="xs">
          <SegmentedControl
            size="xs"
            aria-label={t('composer.kind')}
            value={kind}
            onChange={(chosen) => setKind(KINDS.find((kind) => kind === chosen) ?? 'note')}
            data={kinds.map((kind) => ({ value: kind, label: t(`composer.${kind}`) }))}
          />
          {kind !== 'note' && (
            <TextInput
              aria-label={t('composer.subject')}
              placeholder={t('composer.subject')}
              maxLength={200}
              value={draft.subject}
              onChange={(event) => set({ subject: event.currentTarget.value })}
            />
          )}
          {kind === 'note' && user ? (
            <NoteInput
              user={user}
              value={draft.text}
              mentioned={draft.mentioned}
              onChange={(text, mentioned) => set({ text, mentioned })}
              onKeyDown={onKey}
            />
          ) : (
            <Textarea
              aria-label={t('composer.text')}
              placeholder={t('composer.text')}
              autosize
              minRows={1}
              maxRows={10}
              value={draft.text}
              onChange={(event) => set({ text: event.currentTarget.value })}
              onKeyDown={onKey}
            />
          )}
          {save.isError && <ErrorBox error={save.error} />}
          <Group justify="flex-end">
            {kind === 'task' && (
              <DateInput
                aria-label={t('composer.due')}
                placeholder={t('composer.due')}
                valueFormat="YYYY-MM-DD"
                clearable
                size="xs"
                value={draft.due}
                onChange={(due) => set({ due })}
              />
            )}
            <Button type="submit" size="xs" loading={save.isPending} disabled={!complete}>
              {t('composer.save')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Card>
  );
}

/** The object that a kind of entry is kept as, where it can belong to this one. */
function targetOf(kind: Kind, object: ObjectDefinition, objects: Objects): ObjectDefinition | undefined {
  const target = objects.byName(kind === 'note' ? 'comment' : kind === 'task' ? 'task' : 'interaction');
  return kind === 'note' || (target && referenceTo(object, target)) ? target : undefined;
}

function referenceTo(object: ObjectDefinition, target: ObjectDefinition): string | undefined {
  return target.fields.find((field) => field.type === 'reference' && field.object === object.name)?.name;
}

function written(kind: Kind, draft: Draft, object: ObjectDefinition, record: AnyRecord, objects: Objects) {
  const target = targetOf(kind, object, objects);
  if (!target) {
    throw new Error(`a ${kind} cannot belong to ${object.name}`);
  }
  const subject = draft.subject.trim();
  const text = draft.text.trim() || null;
  // Who is about an account is about it too: a note at a contact shall be found at the account.
  const account = referenceTo(objects.byName('account') ?? object, target);
  const along = account && object.name !== 'account' && typeof record.account === 'string' ? { [account]: record.account } : {};
  const about = { ...along, [referenceTo(object, target) ?? 'account']: record.id };
  switch (kind) {
    case 'note':
      return {
        target,
        fields: { text: marked(draft.text.trim(), draft.mentioned), parent_object: object.name, parent_id: record.id },
      };
    case 'task':
      return { target, fields: { ...about, subject, description: text, status: 'open', due_on: draft.due } };
    default:
      return {
        target,
        fields: { ...about, subject, content: text, channel: kind, direction: 'outbound', occurred_at: new Date().toISOString() },
      };
  }
}
