// From a panel of a report to a picture. The forms that there are stand in `host/docs/reports.md`; a form that is not known is shown as its table.
import type { EChartsCoreOption } from 'echarts/core';
import type { Schemas } from '~/api/client';
import { isMoney } from '~/fields/values';
import { type Language, labelIn } from '~/i18n/label';

export type Panel = Schemas['Panel'];
export type Column = Panel['columns'][number];

/** A table of that many cells is a matrix that can be read. */
const CELLS_LABELLED_MAX = 200;

export function columnOf(panel: Panel, name: unknown): Column | undefined {
  return panel.columns.find((column) => column.name === name);
}

/** The values of a column as words of a language. */
export function wordsOf(column: Column, language: Language): readonly (string | null)[] {
  const chinese = 'zh-CN' in column ? column['zh-CN'] : undefined;
  const values = language === 'zh-CN' && chinese ? chinese : column.values;
  return values.map((value) => (value === null ? null : isMoney(value) ? value.amount : String(value)));
}

export function numbersOf(column: Column): readonly (number | null)[] {
  return column.values.map((value) => {
    const number = isMoney(value) ? Number(value.amount) : typeof value === 'number' ? value : Number.NaN;
    return Number.isFinite(number) ? number : null;
  });
}

export function titleOf(column: Column, language: Language): string {
  const unit = 'currency' in column ? column.currency : labelIn(column.unit, language);
  return unit ? `${labelIn(column.label, language)} (${unit})` : labelIn(column.label, language);
}

interface Drawing {
  readonly kind?: string;
  readonly [member: string]: unknown;
}

/** What the library draws; undefined where the table is all there is. */
export function optionOf(panel: Panel, language: Language): EChartsCoreOption | undefined {
  const drawing = panel.drawing as Drawing;
  switch (drawing.kind) {
    case 'bar':
    case 'line':
    case 'scatter':
      return chart(panel, drawing, drawing.kind, language);
    case 'matrix':
      return matrix(panel, drawing, language);
    case 'tree':
      return tree(panel, drawing, language);
    case 'graph':
      return graph(panel, drawing, language);
    default:
      return undefined;
  }
}

/** So many bars have room for their names; of more, some names are left out. */
const LABELLED_MAX = 10;
const WHOLE_LABELS = { interval: 0, width: 96, overflow: 'break' } as const;

const BASE: EChartsCoreOption = {
  aria: { enabled: true },
  animation: false,
  grid: { left: 12, right: 24, top: 40, bottom: 12, containLabel: true },
};

function chart(
  panel: Panel,
  drawing: Drawing,
  type: 'bar' | 'line' | 'scatter',
  language: Language,
): EChartsCoreOption | undefined {
  const x = columnOf(panel, drawing.x);
  const ys = Array.isArray(drawing.y)
    ? drawing.y.map((name) => columnOf(panel, name)).filter((column) => column !== undefined)
    : [];
  if (!x || ys.length === 0) {
    return undefined;
  }
  const continuous = type !== 'bar' && ['number', 'integer'].includes(String(x.type));
  const places = wordsOf(x, language);
  const numbers = numbersOf(x);
  const divider = columnOf(panel, drawing.series);
  const groups = divider ? wordsOf(divider, language) : undefined;
  const names = groups ? [...new Set(groups)] : [undefined];
  const categories = [...new Set(places.map((place) => place ?? '–'))];
  const series = ys.flatMap((y) =>
    names.map((name) => {
      const values = numbersOf(y);
      const rows = values.flatMap((value, row) =>
        groups && groups[row] !== name ? [] : [{ value: [continuous ? numbers[row] : (places[row] ?? '–'), value], row }],
      );
      const title = titleOf(y, language);
      return {
        type,
        name: name === undefined ? title : ys.length > 1 ? `${name} · ${title}` : String(name ?? '–'),
        data: rows,
        showSymbol: rows.length < 40,
      };
    }),
  );
  return {
    ...BASE,
    tooltip: { trigger: type === 'scatter' ? 'item' : 'axis' },
    legend: series.length > 1 ? { top: 4, type: 'scroll' } : undefined,
    xAxis: continuous
      ? { type: 'value', name: titleOf(x, language), nameLocation: 'middle', nameGap: 28 }
      : { type: 'category', data: categories, ...(categories.length <= LABELLED_MAX && { axisLabel: WHOLE_LABELS }) },
    yAxis: { type: 'value' },
    series,
  };
}

function matrix(panel: Panel, drawing: Drawing, language: Language): EChartsCoreOption | undefined {
  const [row, column, value] = [columnOf(panel, drawing.row), columnOf(panel, drawing.column), columnOf(panel, drawing.value)];
  if (!row || !column || !value) {
    return undefined;
  }
  const [rows, columns] = [
    wordsOf(row, language).map((word) => word ?? '–'),
    wordsOf(column, language).map((word) => word ?? '–'),
  ];
  const values = numbersOf(value);
  const known = values.filter((value) => value !== null);
  const short = new Intl.NumberFormat(language, { notation: 'compact', maximumSignificantDigits: 3 });
  return {
    ...BASE,
    grid: { left: 12, right: 24, top: 40, bottom: 40, containLabel: true },
    tooltip: { position: 'top' },
    xAxis: {
      type: 'category',
      data: [...new Set(columns)],
      name: titleOf(column, language),
      nameLocation: 'middle',
      nameGap: 28,
    },
    yAxis: { type: 'category', data: [...new Set(rows)], inverse: true },
    visualMap: {
      min: Math.min(0, ...known),
      max: Math.max(1, ...known),
      show: false,
      inRange: { color: ['#e3fafc', '#0b7285'] },
    },
    series: [
      {
        type: 'heatmap',
        name: titleOf(value, language),
        data: values.flatMap((value, index) =>
          value === null ? [] : [{ value: [columns[index], rows[index], value], row: index }],
        ),
        label: {
          show: values.length <= CELLS_LABELLED_MAX,
          // A cell has room for a short number; the table has it whole.
          formatter: ({ value: [, , shown] }: { value: [unknown, unknown, number] }) => short.format(shown),
        },
      },
    ],
  };
}

interface Node {
  name: string;
  /** Of the table: what is clicked leads to what it says there. */
  row: number;
  value?: number | null;
  children: Node[];
}

function tree(panel: Panel, drawing: Drawing, language: Language): EChartsCoreOption | undefined {
  const [node, parent, label] = [columnOf(panel, drawing.node), columnOf(panel, drawing.parent), columnOf(panel, drawing.label)];
  if (!node || !parent || !label) {
    return undefined;
  }
  const value = columnOf(panel, drawing.value);
  const values = value && numbersOf(value);
  const names = wordsOf(label, language);
  const nodes = new Map<string, Node>();
  node.values.forEach((id, row) => {
    nodes.set(String(id), { name: names[row] ?? '', row, children: [], ...(values && { value: values[row] ?? null }) });
  });
  const roots: Node[] = [];
  parent.values.forEach((above, row) => {
    const own = nodes.get(String(node.values[row]));
    const into = above === null ? roots : (nodes.get(String(above))?.children ?? roots);
    if (own) {
      into.push(own);
    }
  });
  return {
    ...BASE,
    tooltip: { trigger: 'item' },
    series: [
      {
        type: 'tree',
        data: roots,
        left: 40,
        right: 160,
        initialTreeDepth: 4,
        label: { position: 'top', fontSize: 11 },
        leaves: { label: { position: 'right', align: 'left' } },
      },
    ],
  };
}

function graph(panel: Panel, drawing: Drawing, language: Language): EChartsCoreOption | undefined {
  const [source, target] = [columnOf(panel, drawing.source), columnOf(panel, drawing.target)];
  if (!source || !target) {
    return undefined;
  }
  const weight = columnOf(panel, drawing.weight);
  const weights = weight && numbersOf(weight);
  const heaviest = Math.max(1, ...(weights ?? []).filter((value) => value !== null));
  const [from, to] = [wordsOf(source, language), wordsOf(target, language)];
  const names = [...new Set([...from, ...to].map((name) => name ?? '–'))];
  return {
    ...BASE,
    tooltip: {},
    series: [
      {
        type: 'graph',
        layout: 'circular',
        roam: true,
        edgeSymbol: ['none', 'arrow'],
        label: { show: true, position: 'right' },
        data: names.map((name) => ({ name, symbolSize: 14 })),
        links: from.map((name, row) => ({
          source: name ?? '–',
          target: to[row] ?? '–',
          value: weights?.[row] ?? undefined,
          lineStyle: { width: 1 + (4 * (weights?.[row] ?? 0)) / heaviest, curveness: 0.2 },
        })),
      },
    ],
  };
}
