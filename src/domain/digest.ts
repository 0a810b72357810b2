/** The form of a digest, for those who check names of blobs and nothing else of the domain. */

/** `sha256:<64 hex>` of some bytes: the address of a blob. */
export const digestForm = /^sha256:[0-9a-f]{64}$/;
