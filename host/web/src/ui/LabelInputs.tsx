import { Group, TextInput } from '@mantine/core';
import type { Label } from '~/api/client';
import { useWords } from '~/i18n/hooks';

interface Props {
  readonly title: string;
  readonly value: Label;
  readonly onChange: (label: Label) => void;
  readonly error?: string | undefined;
  readonly required?: boolean;
  readonly autoFocus?: boolean;
}

/** A text in both languages, the one of the screen first. */
export function LabelInputs({ title, value, onChange, error, required = false, autoFocus = false }: Props) {
  const { t, language } = useWords();
  const languages = language === 'en' ? (['en', 'zh-CN'] as const) : (['zh-CN', 'en'] as const);
  return (
    <Group grow align="flex-start" gap="xs">
      {languages.map((one, place) => (
        <TextInput
          key={one}
          label={`${title} (${t(`languageOf.${one}`)})`}
          value={value[one]}
          required={required && place === 0}
          error={place === 0 ? error : undefined}
          {...(autoFocus && place === 0 && { 'data-autofocus': true })}
          onChange={(event) => onChange({ ...value, [one]: event.currentTarget.value })}
        />
      ))}
    </Group>
  );
}

export const NO_LABEL: Label = { en: '', 'zh-CN': '' };

/** Where only one language was written, it stands for both. */
export function filledLabel(label: Label): Label {
  const [en, zh] = [label.en.trim(), label['zh-CN'].trim()];
  return { en: en || zh, 'zh-CN': zh || en };
}
