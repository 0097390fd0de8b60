// Colour, spacing and type, in one place.
import { createTheme, type MantineColorsTuple } from '@mantine/core';

const trellis: MantineColorsTuple = [
  '#e3fafc',
  '#c5f0f5',
  '#99e2ec',
  '#66cfde',
  '#35b8cb',
  '#159fb4',
  '#0c8599',
  '#0b7285',
  '#095c6b',
  '#074650',
];

/** Dark enough for white words upon it. */
const red: MantineColorsTuple = [
  '#fff5f5',
  '#ffe3e3',
  '#ffc9c9',
  '#ffa8a8',
  '#ff8787',
  '#f03e3e',
  '#e03131',
  '#c92a2a',
  '#b02525',
  '#961f1f',
];

export const theme = createTheme({
  primaryColor: 'trellis',
  primaryShade: 7,
  colors: { trellis, red },
  autoContrast: true,
  luminanceThreshold: 0.32,
  defaultRadius: 'md',
  cursorType: 'pointer',
  fontFamily:
    'system-ui, -apple-system, "Segoe UI", Roboto, "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "Cascadia Mono", Menlo, Consolas, "Noto Sans Mono CJK SC", monospace',
  headings: { fontWeight: '600' },
  components: {
    // A name needs a role to be said.
    Loader: { defaultProps: { role: 'status' } },
    // The head of a dialog is none of the page: a second banner would mislead who jumps from landmark to landmark.
    // The colour of an alert is light on its own ground: its words are in that of the text.
    Alert: { defaultProps: { styles: { title: { color: 'var(--mantine-color-text)' } } } },
    Modal: { defaultProps: { attributes: { header: { role: 'presentation' } } } },
    Drawer: { defaultProps: { attributes: { header: { role: 'presentation' } } } },
  },
});
