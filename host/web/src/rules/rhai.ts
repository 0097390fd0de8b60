// How rhai is coloured: keywords, texts, numbers, comments.
import { StreamLanguage } from '@codemirror/language';

const KEYWORDS = new Set(
  'let const if else while loop for in break continue return throw try catch fn true false switch do until'.split(' '),
);

interface State {
  /** Inside a text that goes on over lines, or a comment that does. */
  within: '`' | '/*' | undefined;
}

export const rhai = StreamLanguage.define<State>({
  name: 'rhai',
  startState: () => ({ within: undefined }),
  token(stream, state) {
    if (state.within === '/*') {
      if (stream.skipTo('*/')) {
        stream.match('*/');
        state.within = undefined;
      } else {
        stream.skipToEnd();
      }
      return 'comment';
    }
    if (state.within === '`') {
      if (stream.skipTo('`')) {
        stream.next();
        state.within = undefined;
      } else {
        stream.skipToEnd();
      }
      return 'string';
    }
    if (stream.eatSpace()) {
      return null;
    }
    if (stream.match('//')) {
      stream.skipToEnd();
      return 'comment';
    }
    if (stream.match('/*')) {
      state.within = '/*';
      return 'comment';
    }
    if (stream.match('`')) {
      state.within = '`';
      return 'string';
    }
    if (stream.match(/^"(?:[^"\\]|\\.)*"?/) || stream.match(/^'(?:[^'\\]|\\.)'/)) {
      return 'string';
    }
    if (stream.match(/^\d[\d_]*(?:\.\d+)?/)) {
      return 'number';
    }
    const word = stream.match(/^[A-Za-z_]\w*/);
    if (word && typeof word === 'object') {
      return KEYWORDS.has(word[0]) ? 'keyword' : stream.peek() === '(' ? 'function' : 'variableName';
    }
    stream.next();
    return null;
  },
  languageData: {
    commentTokens: { line: '//', block: { open: '/*', close: '*/' } },
    closeBrackets: { brackets: ['(', '[', '{', '"', '`'] },
  },
});
