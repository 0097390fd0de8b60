// What the workbench says in English, by area. Keys are the same in `zh-CN`; the compiler sees to it.
import { admin } from './admin';
import { analysis } from './analysis';
import { data } from './data';
import { plugins } from './plugins';
import { records } from './records';
import { shell } from './shell';

export const en = { ...shell, ...records, ...data, ...analysis, ...plugins, ...admin };
