import type { Label } from '~/api/client';

export const LANGUAGES = ['en', 'zh-CN'] as const;
export type Language = (typeof LANGUAGES)[number];

/** A label in a language; English where the other was left empty. */
export function labelIn(label: Label | undefined, language: Language): string {
  return label ? label[language] || label.en : '';
}
