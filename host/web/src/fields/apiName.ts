import { pinyin } from 'pinyin-pro';
import type { Label } from '~/api/client';

const NAME_CHARACTERS_MAX = 60;

/** A name for a label: `Shoe size` is `shoe_size`, 鞋码 is `xie_ma`. */
export function apiNameOf(label: Label): string {
  const text = /[a-z]/i.test(label.en) ? label.en : pinyin(label['zh-CN'] || label.en, { toneType: 'none' });
  const name = text
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^[_\d]+|_+$/g, '');
  return name.slice(0, NAME_CHARACTERS_MAX);
}
