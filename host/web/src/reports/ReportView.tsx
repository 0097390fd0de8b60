import { Alert, Button, Card, Group, List, Loader, SimpleGrid, Stack, Table, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { lazy, Suspense, useMemo, useState } from 'react';
import type { Schemas } from '~/api/client';
import { isMoney } from '~/fields/values';
import { useWords } from '~/i18n/hooks';
import { type Column, optionOf, type Panel, titleOf } from './drawing';
import { SegmentLink, useOpenSegment, useSegmentations } from './SegmentLink';

const Chart = lazy(() => import('./Chart').then((module) => ({ default: module.Chart })));

const ROWS_SHOWN = 100;

/** What a plugin shows: a summary, figures, and tables with their pictures. */
export function ReportView({ report, plugin }: { report: Schemas['Report']; plugin: string }) {
  const { label, formats } = useWords();
  const warnings = report.warnings ?? [];
  const segmentations = useSegmentations(plugin);
  return (
    <Stack>
      <Text>{label(report.summary)}</Text>
      {warnings.length > 0 && (
        <Alert color="orange" icon={<IconAlertTriangle />}>
          <List size="sm">
            {warnings.map((warning) => (
              <List.Item key={warning.en}>{label(warning)}</List.Item>
            ))}
          </List>
        </Alert>
      )}
      {report.metrics.length > 0 && (
        <SimpleGrid cols={{ base: 2, sm: 3, lg: 5 }} component="dl" m={0}>
          {report.metrics.map((metric) => (
            <Card key={metric.name} withBorder padding="xs">
              <Text component="dt" fz="xs" c="dimmed">
                {label(metric.label)}
              </Text>
              <Text component="dd" m={0} fw={600}>
                {formats.number(metric.value, 3)}
              </Text>
            </Card>
          ))}
        </SimpleGrid>
      )}
      {report.panels.map((panel) => (
        <PanelView key={panel.name} panel={panel} segmentations={segmentations} />
      ))}
    </Stack>
  );
}

interface PanelProps {
  readonly panel: Panel;
  readonly segmentations: ReadonlyMap<string, Schemas['Segmentation']>;
}

function PanelView({ panel, segmentations }: PanelProps) {
  const { t, label, language } = useWords();
  const option = useMemo(() => optionOf(panel, language), [panel, language]);
  const [table, setTable] = useState(false);
  const title = label(panel.label);
  const about = label(panel.description);
  const openSegment = useOpenSegment(panel, segmentations);
  return (
    <Card withBorder component="section" aria-label={title}>
      <Group justify="space-between">
        <Text component="h2" fw={600}>
          {title}
        </Text>
        {option && (
          <Button size="compact-xs" variant="subtle" onClick={() => setTable(!table)}>
            {table ? t('report.picture') : t('report.table')}
          </Button>
        )}
      </Group>
      {about && (
        <Text fz="sm" c="dimmed">
          {about}
        </Text>
      )}
      {option && !table ? (
        <Suspense fallback={<Loader aria-label={t('loading')} />}>
          <Chart option={option} label={title} onRow={openSegment} />
        </Suspense>
      ) : (
        <PanelTable panel={panel} segmentations={segmentations} />
      )}
    </Card>
  );
}

function PanelTable({ panel, segmentations }: PanelProps) {
  const { t, language } = useWords();
  const [all, setAll] = useState(false);
  const rows = all ? panel.rows : Math.min(panel.rows, ROWS_SHOWN);
  return (
    <>
      <Table.ScrollContainer minWidth={panel.columns.length * 110} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
        <Table fz="sm">
          <Table.Thead>
            <Table.Tr>
              {panel.columns.map((column) => (
                <Table.Th key={column.name}>{titleOf(column, language)}</Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {Array.from({ length: rows }, (_, row) => (
              <Table.Tr key={String(row)}>
                {panel.columns.map((column) => (
                  <Table.Td key={column.name}>
                    <Cell column={column} row={row} segmentation={segmentations.get(column.name)} />
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {rows < panel.rows && (
        <Button size="compact-sm" variant="subtle" onClick={() => setAll(true)}>
          {t('report.allRows', { count: panel.rows })}
        </Button>
      )}
    </>
  );
}

interface CellProps {
  readonly column: Column;
  readonly row: number;
  readonly segmentation: Schemas['Segmentation'] | undefined;
}

function Cell({ column, row, segmentation }: CellProps) {
  const { t, formats, language } = useWords();
  const value = column.values[row];
  if (value === null || value === undefined) {
    return '–';
  }
  if (isMoney(value)) {
    return formats.money(value);
  }
  if (typeof value === 'number') {
    return formats.number(value);
  }
  if (typeof value === 'boolean') {
    return value ? t('yes') : t('no');
  }
  const chinese = 'zh-CN' in column ? column['zh-CN']?.[row] : undefined;
  const type = String(column.type);
  if (segmentation && type === 'text') {
    return <SegmentLink segmentation={segmentation} value={value} word={(language === 'zh-CN' && chinese) || value} />;
  }
  return type === 'date'
    ? formats.date(value)
    : type === 'time'
      ? formats.time(value)
      : (language === 'zh-CN' && chinese) || value;
}
