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

export const theme = createTheme({
  primaryColor: 'trellis',
  primaryShade: 7,
  colors: { trellis },
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
    Modal: { defaultProps: { attributes: { header: { role: 'presentation' } } } },
    Drawer: { defaultProps: { attributes: { header: { role: 'presentation' } } } },
  },
});
