import { AppShell, NavLink, ScrollArea, Select, Text } from '@mantine/core';
import { IconHome, IconLayoutDashboard } from '@tabler/icons-react';
import { Link, useRouterState } from '@tanstack/react-router';
import { type ObjectDefinition, segmentOf } from '~/api/client';
import { useObjects } from '~/api/objects';
import type { Dashboard } from '~/dashboards/shipped';
import { useWords } from '~/i18n/hooks';
import { BASE, listOf } from '~/paths';
import { objectsOf } from '~/workspaces/navigation';
import { SCREENS } from '~/workspaces/screens';
import { iconOf, WORKSPACES, type Workspace } from '~/workspaces/workspaces';

/** The dashboard that a workspace opens. */
const DASHBOARD_OF: Readonly<Record<Workspace, Dashboard>> = {
  sales: 'sales',
  marketing: 'marketing',
  service: 'service',
  analytics: 'value',
  admin: 'sales',
};

interface Props {
  readonly workspace: Workspace;
  readonly onWorkspace: (workspace: Workspace) => void;
}

/** The lists of a workspace. */
export function Navigation({ workspace, onWorkspace }: Props) {
  const { t } = useWords();
  const objects = useObjects();
  const { named, more } = objectsOf(workspace, objects);
  const path = useRouterState({ select: (state) => state.location.pathname }).replace(BASE, '');
  return (
    <>
      <AppShell.Section p="xs">
        <Select
          aria-label={t('shell.workspace')}
          allowDeselect={false}
          data={WORKSPACES.map((name) => ({ value: name, label: t(`workspace.${name}`) }))}
          value={workspace}
          onChange={(chosen) => {
            const next = WORKSPACES.find((name) => name === chosen);
            if (next) {
              onWorkspace(next);
            }
          }}
        />
      </AppShell.Section>
      <AppShell.Section grow component={ScrollArea} px="xs">
        <NavLink
          renderRoot={(props) => <Link to="/" {...props} />}
          label={t('home.title')}
          active={path === '/' || path === ''}
          leftSection={<IconHome size={18} aria-hidden />}
        />
        <NavLink
          renderRoot={(props) => <Link to="/dashboards/$name" params={{ name: DASHBOARD_OF[workspace] }} {...props} />}
          label={t('dashboards.title')}
          active={path.startsWith('/dashboards')}
          leftSection={<IconLayoutDashboard size={18} aria-hidden />}
        />
        {SCREENS.filter(({ workspaces }: { readonly workspaces: readonly Workspace[] }) => workspaces.includes(workspace)).map(
          ({ to, title, Icon }) => (
            <NavLink
              key={to}
              renderRoot={(props) => <Link to={to} {...props} />}
              label={t(title)}
              active={path.startsWith(to)}
              leftSection={<Icon size={18} aria-hidden />}
            />
          ),
        )}
        {named.map((object) => (
          <ObjectLink key={object.name} object={object} path={path} />
        ))}
        {more.length > 0 && (
          <Text fz="xs" c="dimmed" px="sm" pt="sm">
            {t('shell.more')}
          </Text>
        )}
        {more.map((object) => (
          <ObjectLink key={object.name} object={object} path={path} />
        ))}
      </AppShell.Section>
    </>
  );
}

function ObjectLink({ object, path }: { object: ObjectDefinition; path: string }) {
  const { label } = useWords();
  const Icon = iconOf(object.name);
  const here = listOf(object);
  if (object.name === 'rule') {
    return (
      <NavLink
        renderRoot={(props) => <Link to="/rules" {...props} />}
        label={label(object.plural_label)}
        active={path.startsWith('/rules')}
        leftSection={<Icon size={18} aria-hidden />}
      />
    );
  }
  return (
    <NavLink
      renderRoot={(props) => <Link to="/objects/$objects" params={{ objects: segmentOf(object) }} {...props} />}
      label={label(object.plural_label)}
      active={path === here || path.startsWith(`${here}/`)}
      leftSection={<Icon size={18} aria-hidden />}
    />
  );
}
