// Chinese labels are found by their pinyin, whole or by initials: `kh` and `kehu` find 客户. The dictionary is large and comes when it is needed.
import { useQuery } from '@tanstack/react-query';

export interface Pinyin {
  /** Whether `words` is the beginning of the sounds of some of `text`. */
  match(text: string, words: string): boolean;
}

export function usePinyin(): Pinyin | undefined {
  const loaded = useQuery({
    queryKey: ['pinyin'],
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: Number.POSITIVE_INFINITY,
    queryFn: async (): Promise<Pinyin> => {
      const { match } = await import('pinyin-pro');
      return { match: (text, words) => match(text, words, { precision: 'start', continuous: true }) !== null };
    },
  });
  return loaded.data;
}

/** Whether a text has these words, in any case, or sounds like them. */
export function matcher(words: string, pinyin: Pinyin | undefined): (text: string) => boolean {
  const wanted = words.toLowerCase();
  if (wanted === '') {
    return () => true;
  }
  const latin = /^[a-z' ]+$/.test(wanted);
  return (text) =>
    text.toLowerCase().includes(wanted) ||
    (latin && /\p{Script=Han}/u.test(text) && pinyin?.match(text, wanted.replaceAll(/[' ]/g, '')) === true);
}
