import { Card, Table, Text } from '@mantine/core';
import { asText } from '~/fields/values';
import { useWords } from '~/i18n/hooks';

const SHOWN_MAX = 8;

interface Results {
  readonly customers?: number;
  readonly changed?: number;
  readonly failed?: number;
  readonly first_rows?: readonly {
    readonly id: string;
    readonly name?: string;
    readonly before?: Values;
    readonly after?: Values;
  }[];
}

type Values = Readonly<Record<string, unknown>>;

/** What a dry run found: for how many customers something would change, and what for the first of them. */
export function DryRun({ result }: { result: unknown }) {
  const { t, formats } = useWords();
  const results = resultsIn(result);
  const count = results?.changed ?? 0;
  const rows = (results?.first_rows ?? []).slice(0, SHOWN_MAX);
  const shown = (value: unknown) =>
    value === null || value === undefined ? '–' : typeof value === 'number' ? formats.number(value, 2) : asText(value);
  return (
    <Card withBorder role="status" aria-label={t('plugins.dryRun')}>
      <Text component="h2" fw={600}>
        {t('plugins.wouldBe')}
      </Text>
      <Text fz="sm">
        {results
          ? t('plugins.wouldChange', { count, changed: formats.number(count), customers: formats.number(results.customers ?? 0) })
          : t('plugins.wouldNot')}
      </Text>
      {rows.length > 0 && (
        <Table.ScrollContainer minWidth={560} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
          <Table fz="xs">
            <Table.Tbody>
              {rows.map((row) => (
                <Table.Tr key={row.id}>
                  <Table.Th scope="row">{row.name ?? row.id}</Table.Th>
                  <Table.Td>
                    {Object.entries(row.after ?? {})
                      .filter(([name, value]) => value !== row.before?.[name])
                      .map(([name, value]) => (
                        <div key={name}>
                          {name}: {shown(row.before?.[name])} → {shown(value)}
                        </div>
                      ))}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Card>
  );
}

/** The part of a job's result that is about customers; plugins that only react have none. */
function resultsIn(result: unknown): Results | undefined {
  const results = typeof result === 'object' && result !== null && 'results' in result ? result.results : undefined;
  return typeof results === 'object' && results !== null ? results : undefined;
}
