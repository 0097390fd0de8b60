/** Messages by name, in groups. */
export interface Tree {
  readonly [key: string]: string | Tree;
}

/** The same keys with other words. */
export type Translated<T> = { readonly [K in keyof T]: T[K] extends string ? string : Translated<T[K]> };
