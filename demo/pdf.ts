/**
 * A PDF of a chosen size that every viewer opens: one page of text, and a stream that no page uses to make up the weight
 * of figures. (ISO 32000-1 §7.5: header, objects, cross-reference table, trailer.)
 */

/** @param bytes about the size wanted; the result is a little larger */
export function makePdf(title: string, lines: readonly string[], bytes: number): Buffer {
  const written = lines.map((line, i) => `1 0 0 1 72 ${700 - i * 18} Tm (${pdfText(line)}) Tj`).join('\n')
  const content = `BT /F1 20 Tf 1 0 0 1 72 750 Tm (${pdfText(title)}) Tj /F1 11 Tf\n${written}\nET`
  const objects = [
    latin1('<< /Type /Catalog /Pages 2 0 R >>'),
    latin1('<< /Type /Pages /Kids [3 0 R] /Count 1 >>'),
    latin1(
      '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    ),
    stream(latin1(content)),
    latin1('<< /Type /Font /Subtype /Type1 /BaseFont /Times-Roman /Encoding /WinAnsiEncoding >>'),
    stream(weight(bytes)),
  ]

  // The second line has bytes above 127, so that nobody takes the file for text (§7.5.2).
  const pieces = [latin1('%PDF-1.4\n%\xe2\xe3\xcf\xd3\n')]
  const offsets: number[] = []
  let length = pieces[0]?.length ?? 0
  const add = (piece: Buffer) => {
    pieces.push(piece)
    length += piece.length
  }
  objects.forEach((object, i) => {
    offsets.push(length)
    add(Buffer.concat([latin1(`${i + 1} 0 obj\n`), object, latin1('\nendobj\n')]))
  })
  const entries = offsets.map(offset => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')
  const table = `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${entries}`
  add(latin1(`${table}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${length}\n%%EOF\n`))
  return Buffer.concat(pieces)
}

function stream(content: Buffer): Buffer {
  return Buffer.concat([latin1(`<< /Length ${content.length} >>\nstream\n`), content, latin1('\nendstream')])
}

/** The same bytes at every start, and none that a proxy could shrink to nothing. */
function weight(bytes: number): Buffer {
  const content = Buffer.allocUnsafe(bytes)
  let state = 12
  for (let i = 0; i < bytes; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    content[i] = state >>> 24
  }
  return content
}

function pdfText(text: string): string {
  return text.replace(/[\\()]/g, character => `\\${character}`)
}

function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}
