import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import type { ObjectTab } from './admin/ObjectPage';
import type { Filter } from './api/queries';
import { NotThere } from './components/NotThere';
import type { DecisionSearch } from './decisions/DecisionsPage';
import type { Step } from './imports/ImportPage';
import { listSearch } from './objects/search';
import { BASE } from './paths';
import type { Tab } from './record/RecordPage';
import { PageError } from './shell/PageError';
import { Root } from './shell/Root';

const root = createRootRoute({
  component: Root,
  notFoundComponent: () => <NotThere what={location.pathname} />,
});

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  component: lazyRouteComponent(() => import('./home/Home'), 'Home'),
});

const list = createRoute({
  getParentRoute: () => root,
  path: '/objects/$objects',
  validateSearch: listSearch,
  component: lazyRouteComponent(() => import('./objects/ListPage'), 'ListPage'),
});

const RECORD_TABS: readonly string[] = ['timeline', 'details', 'files', 'history'] satisfies Tab[];

const record = createRoute({
  getParentRoute: () => root,
  path: '/objects/$objects/$id',
  validateSearch: (raw: Record<string, unknown>): { tab?: Tab } =>
    RECORD_TABS.includes(String(raw.tab)) ? { tab: raw.tab as Tab } : {},
  component: lazyRouteComponent(() => import('./record/RecordPage'), 'RecordPage'),
});

const IMPORT_STEPS: readonly string[] = ['choose', 'map', 'check', 'options', 'result'] satisfies Step[];

const importing = createRoute({
  getParentRoute: () => root,
  path: '/import',
  validateSearch: (raw: Record<string, unknown>): { id?: string; step?: Step; object?: string } => ({
    ...(typeof raw.id === 'string' && { id: raw.id }),
    ...(typeof raw.object === 'string' && { object: raw.object }),
    ...(IMPORT_STEPS.includes(String(raw.step)) && { step: raw.step as Step }),
  }),
  component: lazyRouteComponent(() => import('./imports/ImportPage'), 'ImportPage'),
});

const rules = createRoute({
  getParentRoute: () => root,
  path: '/rules',
  component: lazyRouteComponent(() => import('./rules/RulesPage'), 'RulesPage'),
});

const rule = createRoute({
  getParentRoute: () => root,
  path: '/rules/$id',
  component: lazyRouteComponent(() => import('./rules/RulePage'), 'RulePage'),
});

const plugins = createRoute({
  getParentRoute: () => root,
  path: '/plugins',
  component: lazyRouteComponent(() => import('./plugins/PluginsPage'), 'PluginsPage'),
});

const plugin = createRoute({
  getParentRoute: () => root,
  path: '/plugins/$id',
  component: lazyRouteComponent(() => import('./plugins/PluginPage'), 'PluginPage'),
});

const segments = createRoute({
  getParentRoute: () => root,
  path: '/segments',
  component: lazyRouteComponent(() => import('./segments/SegmentsPage'), 'SegmentsPage'),
});

const builder = createRoute({
  getParentRoute: () => root,
  path: '/segments/build',
  // Only the server knows whether a filter is one; it says where it is not.
  validateSearch: (raw: Record<string, unknown>): { filter?: Filter; segmentation?: string } => ({
    ...(typeof raw.filter === 'object' && raw.filter !== null && { filter: raw.filter as Filter }),
    ...(typeof raw.segmentation === 'string' && { segmentation: raw.segmentation }),
  }),
  component: lazyRouteComponent(() => import('./segments/BuilderPage'), 'BuilderPage'),
});

const jobs = createRoute({
  getParentRoute: () => root,
  path: '/jobs',
  component: lazyRouteComponent(() => import('./jobs/JobsPage'), 'JobsPage'),
});

const duplicates = createRoute({
  getParentRoute: () => root,
  path: '/duplicates',
  component: lazyRouteComponent(() => import('./duplicates/DuplicatesPage'), 'DuplicatesPage'),
});

const merge = createRoute({
  getParentRoute: () => root,
  path: '/merge/$objects',
  validateSearch: (raw: Record<string, unknown>): { ids: string[] } => ({
    ids: Array.isArray(raw.ids) ? raw.ids.filter((id): id is string => typeof id === 'string') : [],
  }),
  component: lazyRouteComponent(() => import('./duplicates/MergePage'), 'MergePage'),
});

const dashboard = createRoute({
  getParentRoute: () => root,
  path: '/dashboards/$name',
  component: lazyRouteComponent(() => import('./dashboards/DashboardPage'), 'DashboardPage'),
});

const decisions = createRoute({
  getParentRoute: () => root,
  path: '/decisions',
  validateSearch: (raw: Record<string, unknown>): DecisionSearch =>
    Object.fromEntries(DECISIONS_BY.filter((key) => typeof raw[key] === 'string').map((key) => [key, raw[key]])),
  component: lazyRouteComponent(() => import('./decisions/DecisionsPage'), 'DecisionsPage'),
});

const DECISIONS_BY = ['plugin', 'rule', 'object', 'record'] as const satisfies (keyof DecisionSearch)[];

const adminObjects = createRoute({
  getParentRoute: () => root,
  path: '/admin/objects',
  component: lazyRouteComponent(() => import('./admin/ObjectsPage'), 'ObjectsPage'),
});

const OBJECT_TABS: readonly string[] = ['fields', 'layouts', 'pipelines', 'definition'] satisfies ObjectTab[];

const adminObject = createRoute({
  getParentRoute: () => root,
  path: '/admin/objects/$name',
  validateSearch: (raw: Record<string, unknown>): { tab?: ObjectTab } =>
    OBJECT_TABS.includes(String(raw.tab)) ? { tab: raw.tab as ObjectTab } : {},
  component: lazyRouteComponent(() => import('./admin/ObjectPage'), 'ObjectPage'),
});

const adminSchema = createRoute({
  getParentRoute: () => root,
  path: '/admin/schema',
  component: lazyRouteComponent(() => import('./admin/SchemaPage'), 'SchemaPage'),
});

const adminChanges = createRoute({
  getParentRoute: () => root,
  path: '/admin/changes',
  component: lazyRouteComponent(() => import('./admin/ChangesPage'), 'ChangesPage'),
});

const adminSystem = createRoute({
  getParentRoute: () => root,
  path: '/admin/system',
  component: lazyRouteComponent(() => import('./admin/SystemPage'), 'SystemPage'),
});

export const router = createRouter({
  routeTree: root.addChildren([
    home,
    list,
    record,
    importing,
    rules,
    rule,
    plugins,
    plugin,
    segments,
    builder,
    jobs,
    duplicates,
    merge,
    dashboard,
    decisions,
    adminObjects,
    adminObject,
    adminSchema,
    adminChanges,
    adminSystem,
  ]),
  basepath: BASE,
  defaultPreload: 'intent',
  defaultErrorComponent: PageError,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
