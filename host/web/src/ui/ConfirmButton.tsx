import { Button, type ButtonProps } from '@mantine/core';
import { useState } from 'react';

interface Props extends ButtonProps {
  /** What is asked after the first click. */
  readonly question: string;
  readonly onConfirm: () => void;
  readonly 'aria-label'?: string;
}

/** For what cannot be taken back: the second click does it, leaving the button forgets the first. */
export function ConfirmButton({ question, onConfirm, children, 'aria-label': said, ...rest }: Props) {
  const [asked, setAsked] = useState(false);
  return (
    <Button
      {...rest}
      {...(said && { 'aria-label': asked ? `${question} ${said}` : said })}
      onBlur={() => setAsked(false)}
      onClick={() => {
        setAsked(!asked);
        if (asked) {
          onConfirm();
        }
      }}
    >
      {asked ? question : children}
    </Button>
  );
}
