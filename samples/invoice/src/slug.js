/** A file name from a customer's name: "Müller & Söhne GmbH" -> "mueller-soehne-gmbh". */
export function slug(name) {
  return name.toLowerCase().replace(" ", "-");
}
