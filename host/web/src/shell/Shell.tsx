import { ActionIcon, AppShell, Burger, Button, Group, Kbd, Menu, Text, UnstyledButton } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconKeyboard, IconLogout, IconSearch, IconUser } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useRouterState } from '@tanstack/react-router';
import { type ReactNode, useEffect, useState } from 'react';
import { queryClient } from '~/api/cache';
import { segmentOf } from '~/api/client';
import { useObjects } from '~/api/objects';
import { meQuery } from '~/api/queries';
import { forgetRecent } from '~/components/recent';
import { isTyping, useShortcuts } from '~/components/shortcuts';
import { useWords } from '~/i18n/hooks';
import { signOut } from '~/session';
import { keepWorkspace, keptWorkspace } from '~/workspaces/navigation';
import { Help } from './Help';
import { useLiveUpdates } from './live';
import { Navigation } from './Navigation';
import { Notices } from './Notices';
import { Palette } from './Palette';
import { LanguageSwitch, ThemeSwitch } from './switches';

/** After `g`, so long a second key counts. */
const SECOND_KEY_MS = 1_200;
/** `g` and then: where it goes. */
const GO_TO: Readonly<Record<string, string>> = { a: 'account', c: 'contact', l: 'lead', o: 'opportunity', k: 'case', t: 'task' };

/** What is around every screen. */
export function Shell({ children }: { children: ReactNode }) {
  const { t } = useWords();
  const [workspace, setWorkspace] = useState(keptWorkspace);
  const [opened, navbar] = useDisclosure(false);
  const [searching, palette] = useDisclosure(false);
  const [helping, help] = useDisclosure(false);
  const path = useRouterState({ select: (state) => state.location.pathname });
  // A choice on a small screen leads there: the navigation gives way.
  useEffect(() => {
    void path;
    navbar.close();
  }, [path, navbar.close]);
  usePaletteKey(palette.toggle);
  useShortcuts({ '?': help.open });
  useGoTo();
  useLiveUpdates();
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 224, breakpoint: 'sm', collapsed: { mobile: !opened } }}
      padding={0}
      h="100%"
    >
      <a className="skip-link" href="#content">
        {t('shell.skip')}
      </a>
      <AppShell.Header>
        <Group h="100%" px="sm" gap="xs" wrap="nowrap" justify="space-between">
          <Group gap="xs" wrap="nowrap">
            <Burger opened={opened} onClick={navbar.toggle} hiddenFrom="sm" size="sm" aria-label={t('shell.navigation')} />
            <Text component={Link} to="/" fw={700} fz="lg" c="inherit" td="none">
              Trellis
            </Text>
          </Group>
          <Button
            variant="default"
            justify="space-between"
            leftSection={<IconSearch size={16} />}
            rightSection={<Kbd size="xs">Ctrl K</Kbd>}
            onClick={palette.open}
            w={{ base: 44, xs: 200, sm: 320 }}
            styles={{ section: { flexShrink: 0 } }}
            aria-label={t('palette.title')}
            visibleFrom="xs"
          >
            <Text fz="sm" c="dimmed" span>
              {t('palette.title')}
            </Text>
          </Button>
          <Group gap={6} wrap="nowrap">
            <ActionIcon variant="default" size="lg" hiddenFrom="xs" aria-label={t('palette.title')} onClick={palette.open}>
              <IconSearch size={18} />
            </ActionIcon>
            <Notices />
            <LanguageSwitch />
            <ThemeSwitch />
            <ActionIcon variant="default" size="lg" visibleFrom="sm" aria-label={t('help.title')} onClick={help.open}>
              <IconKeyboard size={18} />
            </ActionIcon>
            <Account />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar>
        <Navigation
          workspace={workspace}
          onWorkspace={(next) => {
            keepWorkspace(next);
            setWorkspace(next);
          }}
        />
      </AppShell.Navbar>
      <AppShell.Main
        id="content"
        tabIndex={-1}
        style={{ display: 'flex', flexDirection: 'column', height: '100dvh', overflow: 'auto' }}
      >
        {children}
      </AppShell.Main>
      <Palette opened={searching} onClose={palette.close} />
      <Help opened={helping} onClose={help.close} />
    </AppShell>
  );
}

function Account() {
  const { t } = useWords();
  const me = useQuery(meQuery);
  const leave = () => {
    queryClient.clear();
    forgetRecent();
    signOut();
  };
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <UnstyledButton aria-label={t('shell.account')}>
          <ActionIcon component="span" variant="light" size="lg">
            <IconUser size={18} />
          </ActionIcon>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{me.data ? (me.data.name ?? me.data.username) : '…'}</Menu.Label>
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={leave}>
          {t('shell.signOut')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

/** Ctrl+K or ⌘K, also while somebody types, but not while a word is composed. */
function usePaletteKey(toggle: () => void) {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k' && !event.isComposing) {
        event.preventDefault();
        toggle();
      }
    };
    document.addEventListener('keydown', listen);
    return () => document.removeEventListener('keydown', listen);
  }, [toggle]);
}

/** `g` and a letter lead to a list. */
function useGoTo() {
  const objects = useObjects();
  const navigate = useNavigate();
  useEffect(() => {
    let waitsSince = Number.NEGATIVE_INFINITY;
    const listen = (event: KeyboardEvent) => {
      if (isTyping(event)) {
        return;
      }
      const target = event.timeStamp - waitsSince < SECOND_KEY_MS ? objects.byName(GO_TO[event.key]) : undefined;
      waitsSince = event.key === 'g' ? event.timeStamp : Number.NEGATIVE_INFINITY;
      if (target) {
        event.preventDefault();
        event.stopPropagation();
        void navigate({ to: '/objects/$objects', params: { objects: segmentOf(target) } });
      }
    };
    // Before the keys of a list: `c` after `g` creates nothing.
    document.addEventListener('keydown', listen, { capture: true });
    return () => document.removeEventListener('keydown', listen, { capture: true });
  }, [objects, navigate]);
}
