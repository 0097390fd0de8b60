import {
  type Icon,
  IconChartPie,
  IconCopyCheck,
  IconGavel,
  IconHeartbeat,
  IconHistory,
  IconPuzzle,
  IconSettingsCog,
  IconTableColumn,
} from '@tabler/icons-react';
import type { Workspace } from './workspaces';

/** Screens that are more than an object, and whose work they are part of. */
export const SCREENS = [
  { to: '/segments', title: 'segments.title', Icon: IconChartPie, workspaces: ['sales', 'marketing', 'analytics'] },
  { to: '/plugins', title: 'plugins.title', Icon: IconPuzzle, workspaces: ['marketing', 'analytics', 'admin'] },
  { to: '/duplicates', title: 'duplicates.title', Icon: IconCopyCheck, workspaces: ['sales', 'admin'] },
  { to: '/decisions', title: 'decisions.title', Icon: IconGavel, workspaces: ['analytics', 'admin'] },
  { to: '/admin/objects', title: 'admin.objects', Icon: IconTableColumn, workspaces: ['admin'] },
  { to: '/jobs', title: 'jobs.title', Icon: IconSettingsCog, workspaces: ['admin'] },
  { to: '/admin/changes', title: 'admin.changes', Icon: IconHistory, workspaces: ['admin'] },
  { to: '/admin/system', title: 'admin.system', Icon: IconHeartbeat, workspaces: ['admin'] },
] as const satisfies readonly {
  readonly to: string;
  readonly title: string;
  readonly Icon: Icon;
  readonly workspaces: readonly Workspace[];
}[];
