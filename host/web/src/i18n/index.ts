import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { en } from './en';
import { LANGUAGES, type Language } from './label';
import { zhCN } from './zh-CN';

const KEY = 'trellis.language';

export function currentLanguage(): Language {
  return asLanguage(i18next.language) ?? preferred();
}

export function setLanguage(language: Language) {
  localStorage.setItem(KEY, language);
  return i18next.changeLanguage(language);
}

function preferred(): Language {
  const kept = asLanguage(localStorage.getItem(KEY));
  return kept ?? (navigator.languages.some((tag) => tag.toLowerCase().startsWith('zh')) ? 'zh-CN' : 'en');
}

function asLanguage(tag: string | null | undefined): Language | undefined {
  return LANGUAGES.find((language) => language === tag);
}

declare module 'i18next' {
  interface CustomTypeOptions {
    resources: { translation: typeof en };
  }
}

i18next.use(initReactI18next);
void i18next.init({
  lng: preferred(),
  fallbackLng: 'en',
  initAsync: false,
  interpolation: { escapeValue: false },
  resources: { en: { translation: en }, 'zh-CN': { translation: zhCN } },
});

function markDocument(language: string) {
  document.documentElement.lang = language;
}
markDocument(i18next.language);
i18next.on('languageChanged', markDocument);

export { i18next };
