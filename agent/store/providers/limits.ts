/** The largest download, and the most bytes of a model that are read into memory. */
export const MAX_MODEL_BYTES = 2 ** 30
