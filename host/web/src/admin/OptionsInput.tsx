import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import type { Label, Schemas } from '~/api/client';
import { apiNameOf } from '~/fields/apiName';
import { useWords } from '~/i18n/hooks';
import { Moves, moved } from '~/ui/OrderedNames';

type Option = Schemas['ChoiceOption'];

interface Props {
  readonly options: readonly Option[];
  /** The values that records may have already. */
  readonly stored: ReadonlySet<string>;
  readonly onChange: (options: readonly Option[]) => void;
}

/** The options of a choice in their order. The value of an option that is stored never changes; its words may. */
export function OptionsInput({ options, stored, onChange }: Props) {
  const { t, label } = useWords();
  const set = (index: number, change: Partial<Option>) =>
    onChange(options.map((option, place) => (place === index ? { ...option, ...change } : option)));
  const rename = (index: number, words: Label) => {
    const option = options[index];
    // A value follows its label as long as nobody wrote one.
    const follows = option && !stored.has(option.value) && option.value === apiNameOf(option.label);
    set(index, { label: words, ...(follows && { value: apiNameOf(words) }) });
  };
  return (
    <Stack gap="xs" role="group" aria-label={t('admin.options')}>
      <Text fz="sm" fw={500}>
        {t('admin.options')}
      </Text>
      {options.map((option, index) => (
        <Group key={index} gap="xs" wrap="nowrap" align="center">
          <Moves
            name={label(option.label) || String(index + 1)}
            index={index}
            last={options.length - 1}
            onMove={(by) => onChange(moved(options, index, by))}
            onRemove={() => onChange(options.filter((_, place) => place !== index))}
          />
          <TextInput
            aria-label={t('admin.optionIn', { place: index + 1, language: t('languageOf.en') })}
            placeholder={t('languageOf.en')}
            value={option.label.en}
            onChange={(event) => rename(index, { ...option.label, en: event.currentTarget.value })}
          />
          <TextInput
            aria-label={t('admin.optionIn', { place: index + 1, language: t('languageOf.zh-CN') })}
            placeholder={t('languageOf.zh-CN')}
            value={option.label['zh-CN']}
            onChange={(event) => rename(index, { ...option.label, 'zh-CN': event.currentTarget.value })}
          />
          <TextInput
            aria-label={t('admin.optionValue', { place: index + 1 })}
            placeholder={t('admin.name')}
            value={option.value}
            readOnly={stored.has(option.value)}
            variant={stored.has(option.value) ? 'filled' : 'default'}
            onChange={(event) => set(index, { value: event.currentTarget.value })}
          />
        </Group>
      ))}
      <Group>
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<IconPlus size={14} />}
          onClick={() => onChange([...options, { value: '', label: { en: '', 'zh-CN': '' } }])}
        >
          {t('admin.addOption')}
        </Button>
      </Group>
    </Stack>
  );
}
