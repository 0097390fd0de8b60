// What the palette offers for what is typed.
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { segmentOf } from '~/api/client';
import { useObjects } from '~/api/objects';
import { findQuery, segmentationsQuery } from '~/api/queries';
import { recent } from '~/components/recent';
import { useWords } from '~/i18n/hooks';
import { BASE, listOf, recordOf } from '~/paths';
import { pluginsQuery } from '~/plugins/plugins';
import { SCREENS } from '~/workspaces/screens';
import { PARTS } from '~/workspaces/workspaces';
import { matcher, usePinyin } from './pinyin';

const TYPING_MS = 120;
const GROUP_MAX = 8;
/** What one may type first, to be shown one kind of thing only: pages, what can be done, people, segments. */
const PREFIXES = ['/', '>', '@', '#'] as const;

export interface Item {
  readonly id: string;
  readonly group: 'recent' | 'records' | 'navigate' | 'segments' | 'create';
  readonly text: string;
  readonly note: string;
  readonly object: string;
  /** Where it leads, below the base. */
  readonly to: string;
  readonly search?: Readonly<Record<string, unknown>>;
}

/** Where an item leads, for a window of its own. */
export function addressOf({ to, search = {} }: Item): string {
  const query = Object.entries(search).map(([name, value]) => `${name}=${encodeURIComponent(JSON.stringify(value))}`);
  return `${BASE}${to}${query.length > 0 ? `?${query.join('&')}` : ''}`;
}

export function useItems(typed: string): { items: readonly Item[]; searching: boolean } {
  const { label } = useWords();
  const objects = useObjects();
  const pinyin = usePinyin();
  const prefix = PREFIXES.find((known) => typed.startsWith(known)) ?? '';
  const words = typed.slice(prefix.length).trim();
  const [asked] = useDebouncedValue(words, TYPING_MS);
  const matches = matcher(words, pinyin);
  const wantsRecords = (prefix === '' || prefix === '@') && asked !== '';
  const found = useQuery({ ...findQuery(asked), enabled: wantsRecords });
  const records = (wantsRecords ? (found.data ?? []) : []).flatMap(({ object: name, id, title }): Item[] => {
    const object = objects.byName(name);
    return object && (prefix !== '@' || name === 'user')
      ? [
          {
            id: `r-${id}`,
            group: 'records',
            text: title ?? id,
            note: label(object.label),
            object: name,
            to: recordOf(object, id),
          },
        ]
      : [];
  });
  const visited = prefix === '' && words === '' ? recent() : [];
  const last = visited.slice(0, GROUP_MAX).flatMap(({ object: name, id, title }): Item[] => {
    const object = objects.byName(name);
    return object
      ? [{ id: `v-${id}`, group: 'recent', text: title, note: label(object.label), object: name, to: recordOf(object, id) }]
      : [];
  });
  const fixed = useFixed().filter(
    (item) => matches(item.text) || item.others.some(matches) || (words !== '' && item.note !== '' && matches(item.note)),
  );
  const some = (group: Item['group'], prefixes: readonly string[], most: number) =>
    prefixes.includes(prefix) ? fixed.filter((item) => item.group === group).slice(0, most) : [];
  return {
    items: [
      ...last,
      ...records,
      ...some('navigate', ['', '/'], GROUP_MAX),
      // There are many: they are shown to who looks for one.
      ...some('segments', words ? ['', '#'] : ['#'], GROUP_MAX),
      ...some('create', ['', '>'], words ? GROUP_MAX : 4),
    ],
    searching: wantsRecords && found.isFetching,
  };
}

/** What is offered whatever is typed, each with what else it is found by. */
function useFixed(): readonly (Item & { readonly others: readonly string[] })[] {
  const { t, label } = useWords();
  const objects = useObjects();
  const plugins = useQuery(pluginsQuery);
  const segmentations = useQuery(segmentationsQuery);
  return useMemo(() => {
    const shown = objects.all.filter((object) => !object.retired && !PARTS.has(object.name));
    const others = (object: (typeof shown)[number]) => [object.label.en, object.plural_label.en, object.label['zh-CN']];
    return [
      ...shown.map((object) => ({
        id: `n-${object.name}`,
        group: 'navigate' as const,
        text: label(object.plural_label),
        note: '',
        object: object.name,
        to: listOf(object),
        others: others(object),
      })),
      ...SCREENS.map(({ to, title }) => ({
        id: `s-${to}`,
        group: 'navigate' as const,
        text: t(title),
        note: '',
        object: '',
        to,
        others: [],
      })),
      ...(plugins.data ?? [])
        .filter(({ state }) => state === 'enabled')
        .map(({ id, name }) => ({
          id: `p-${id}`,
          group: 'navigate' as const,
          text: label(name) || id,
          note: t('plugins.title'),
          object: '',
          to: `/plugins/${id}`,
          others: [id, name?.en ?? '', name?.['zh-CN'] ?? ''],
        })),
      ...(segmentations.data ?? []).flatMap((one) => {
        const object = objects.byName(one.object);
        return (object ? one.values : []).map((value) => ({
          id: `g-${one.name}-${value.value}`,
          group: 'segments' as const,
          text: label(value.label) || value.value,
          note: label(one.label) || one.name,
          object: '',
          to: object ? listOf(object) : '',
          search: { filter: { field: `segment.${one.name}`, op: 'in', value: [value.value] } },
          others: [value.label?.en ?? '', value.label?.['zh-CN'] ?? ''],
        }));
      }),
      ...shown.map((object) => ({
        id: `c-${object.name}`,
        group: 'create' as const,
        text: t('list.create', { object: label(object.label) }),
        note: '',
        object: object.name,
        to: `/objects/${segmentOf(object)}`,
        search: { create: true },
        others: others(object),
      })),
    ];
  }, [objects, plugins.data, segmentations.data, label, t]);
}
