// 工作台的简体中文用语，按领域分文件。键与 `en` 一致，缺少任何一个都无法编译。中文没有单复数之分，两种形式写法相同。
import { admin } from './admin';
import { analysis } from './analysis';
import { data } from './data';
import { plugins } from './plugins';
import { records } from './records';
import { shell } from './shell';

export const zhCN = { ...shell, ...records, ...data, ...analysis, ...plugins, ...admin };
