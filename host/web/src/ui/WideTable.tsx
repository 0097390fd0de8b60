import { Table } from '@mantine/core';
import type { ReactNode } from 'react';

interface Props {
  readonly minWidth: number;
  readonly head: readonly ReactNode[];
  readonly children: ReactNode;
}

/** A table that scrolls by itself where the screen is narrow. */
export function WideTable({ minWidth, head, children }: Props) {
  return (
    <Table.ScrollContainer minWidth={minWidth} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
      <Table>
        <Table.Thead>
          <Table.Tr>
            {head.map((title, place) => (
              <Table.Th key={place}>{title}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>{children}</Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
