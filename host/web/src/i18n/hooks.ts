import { useCallback, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Label } from '~/api/client';
import { formatsOf } from '~/format';
import { currentLanguage } from '.';
import { labelIn } from './label';

/** How to say things in the language of the screen. */
export function useWords() {
  const { t, i18n } = useTranslation();
  const language = currentLanguage();
  const label = useCallback((label: Label | undefined) => labelIn(label, language), [language]);
  const formats = useMemo(() => formatsOf(language), [language]);
  return { t, i18n, language, label, formats };
}
