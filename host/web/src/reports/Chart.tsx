import { useMantineColorScheme } from '@mantine/core';
import { BarChart, GraphChart, HeatmapChart, LineChart, ScatterChart, TreeChart } from 'echarts/charts';
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent, VisualMapComponent } from 'echarts/components';
import { type EChartsCoreOption, init, use } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { useEffect, useEffectEvent, useRef } from 'react';

use([
  AriaComponent,
  BarChart,
  CanvasRenderer,
  GraphChart,
  GridComponent,
  HeatmapChart,
  LegendComponent,
  LineChart,
  ScatterChart,
  TooltipComponent,
  TreeChart,
  VisualMapComponent,
]);

const HEIGHT_PX = 320;

interface Props {
  readonly option: EChartsCoreOption;
  readonly label: string;
  /** Told the row of the table that was clicked in the picture. */
  readonly onRow?: ((row: number) => void) | undefined;
}

/** A picture of the library, as wide as its place. What it leads to is in the table, too, for whoever uses no mouse. */
export function Chart({ option, label, onRow }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const { colorScheme } = useMantineColorScheme();
  const dark = colorScheme === 'dark' || (colorScheme === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches);
  const clicked = useEffectEvent((row: number) => onRow?.(row));
  useEffect(() => {
    const element = place.current;
    if (!element) {
      return;
    }
    const chart = init(element, dark ? 'dark' : undefined);
    chart.setOption({ backgroundColor: 'transparent', ...option });
    chart.on('click', ({ data }) => {
      const row = typeof data === 'object' && data !== null && 'row' in data ? data.row : undefined;
      if (typeof row === 'number') {
        clicked(row);
      }
    });
    const observer = new ResizeObserver(() => chart.resize());
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.dispose();
    };
  }, [option, dark]);
  return <div ref={place} role="img" aria-label={label} style={{ height: HEIGHT_PX }} />;
}
