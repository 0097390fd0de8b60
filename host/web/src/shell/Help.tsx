import { Kbd, Modal, Table } from '@mantine/core';
import { useWords } from '~/i18n/hooks';

const KEYS = [
  ['palette', ['Ctrl', 'K']],
  ['help', ['?']],
  ['search', ['/']],
  ['create', ['c']],
  ['edit', ['e']],
  ['goto', ['g', 'a · c · l · o · k · t']],
  ['move', ['j', 'k']],
  ['select', ['x']],
  ['open', ['Enter']],
  ['peek', ['o']],
  ['neighbours', ['[', ']']],
  ['save', ['Ctrl', 'S']],
  ['cancel', ['Esc']],
  ['today', ['t']],
  ['spans', ['1', '2', '3', '4']],
] as const;

/** Which keys do what. */
export function Help({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useWords();
  return (
    <Modal opened={opened} onClose={onClose} title={t('help.title')} closeButtonProps={{ 'aria-label': t('close') }}>
      <Table>
        <Table.Tbody>
          {KEYS.map(([name, keys]) => (
            <Table.Tr key={name}>
              <Table.Td>
                {keys.map((key) => (
                  <Kbd key={key} mr={4}>
                    {key}
                  </Kbd>
                ))}
              </Table.Td>
              <Table.Td>{t(`keys.${name}`)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  );
}
