import { useMutation } from '@tanstack/react-query';
import { forgetRecords } from '~/api/cache';
import { type AnyRecord, answer, api, type ObjectDefinition } from '~/api/client';
import { asText } from '~/fields/values';
import type { Language } from '~/i18n/label';

export const TRIGGERS = ['before_save', 'after_save', 'transition'] as const;
export type Trigger = (typeof TRIGGERS)[number];

/** A rule while it is written. */
export interface Draft {
  readonly name: string;
  readonly name_zh: string;
  readonly description: string;
  readonly object: string;
  readonly trigger: Trigger;
  readonly watches: string | null;
  readonly when_fields: readonly string[];
  readonly reads_personal_data: boolean;
  readonly position: number;
  readonly source: string;
}

/** Between two rules there is room for others. */
export const POSITION_STEP = 10;

const FIRST_LINES: Readonly<Record<Trigger, string>> = {
  before_save: '// record.phone = "…" changes the record, veto("…") refuses it.\n',
  after_save: '// create_task(#{ subject: "…", account: record.id }); because("code", "…");\n',
  transition: '// if entered("value") { create_task(#{ subject: "…", account: record.id }); }\n',
};

export function newRule(object: string): Draft {
  return {
    name: '',
    name_zh: '',
    description: '',
    object,
    trigger: 'before_save',
    watches: null,
    when_fields: [],
    reads_personal_data: false,
    position: 100,
    source: FIRST_LINES.before_save,
  };
}

export function draftOf(rule: AnyRecord): Draft {
  return {
    name: asText(rule.name),
    name_zh: asText(rule.name_zh),
    description: asText(rule.description),
    object: asText(rule.object),
    trigger: TRIGGERS.find((trigger) => trigger === rule.trigger) ?? 'before_save',
    watches: asText(rule.watches) || null,
    when_fields: Array.isArray(rule.when_fields) ? rule.when_fields.map(asText) : [],
    reads_personal_data: rule.reads_personal_data === true,
    position: typeof rule.position === 'number' ? rule.position : 100,
    source: asText(rule.source),
  };
}

/** A source that nobody has touched yet becomes that of another trigger. */
export function withTrigger(draft: Draft, trigger: Trigger): Draft {
  const untouched = draft.source === FIRST_LINES[draft.trigger] || draft.source.trim() === '';
  return {
    ...draft,
    trigger,
    ...(untouched && { source: FIRST_LINES[trigger] }),
    ...(trigger !== 'transition' && { watches: null }),
  };
}

export function fieldsOfDraft(draft: Draft): Record<string, unknown> {
  const { name_zh, description, when_fields, ...rest } = draft;
  return {
    ...rest,
    name_zh: name_zh || null,
    description: description || null,
    when_fields: when_fields.length > 0 && draft.trigger !== 'transition' ? [...when_fields] : null,
  };
}

/** A rule by its name in the language of the screen. */
export function nameOf(rule: AnyRecord, language: Language): string {
  return (language === 'zh-CN' && asText(rule.name_zh)) || asText(rule.name);
}

/** Switches a rule on or off, or moves it. */
export function useRuleChange() {
  return useMutation({
    mutationFn: ({ id, change }: { id: string; change: Record<string, unknown> }) =>
      answer(api.PATCH('/api/v1/{objects}/{id}', { params: { path: { objects: 'rules', id } }, body: change })),
    onSettled: () => forgetRecords('rule'),
  });
}

/** The words of the rule language, with what they are for (`host/docs/rules.md`). */
export const VOCABULARY: readonly (readonly [string, string])[] = [
  ['record', 'the record'],
  ['before', 'as it was'],
  ['changed', 'changed("field")'],
  ['is_new', 'is_new()'],
  ['entered', 'entered("value")'],
  ['left', 'left("value")'],
  ['veto', 'veto("field", "reason")'],
  ['create_task', 'create_task(#{ subject: "…" })'],
  ['because', 'because("code", "reason")'],
  ['today', 'today()'],
  ['now', 'now()'],
  ['date', 'date("2026-01-31")'],
  ['days_between', 'days_between(a, b)'],
  ['money', 'money("12.30", "CNY")'],
  ['print', 'print(value)'],
  ['user', 'user()'],
];

export function completions(object: ObjectDefinition | undefined): { label: string; type: string; detail: string }[] {
  const fields = (object?.fields ?? [])
    .filter((field) => !field.retired)
    .map((field) => ({ label: `record.${field.name}`, type: 'property', detail: `${field.label['zh-CN']} · ${field.type}` }));
  return [...fields, ...VOCABULARY.map(([label, detail]) => ({ label, type: 'function', detail }))];
}
