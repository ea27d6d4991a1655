/** The contents of the demonstration's journal. Rivers, footbridges and measurements are invented. */

export interface Section {
  /** The fragment that deep links name. */
  readonly anchor: string
  readonly title: string
  readonly paragraphs: readonly string[]
}

export interface Article {
  readonly id: number
  readonly title: string
  readonly authors: string
  readonly pages: string
  readonly language: 'fr' | 'en'
  readonly abstract: string
  readonly sections: readonly Section[]
  /** Heights of the figure's columns, in percent, and its caption. */
  readonly figure: { readonly columns: readonly number[]; readonly caption: string }
}

export const articles: readonly Article[] = [
  {
    id: 11,
    title: 'Crues et gués : quarante années d’observations sur la Mauzelle',
    authors: 'H. Delorme, I. Vasseur',
    pages: '201–218',
    language: 'fr',
    abstract:
      'Les gués de la Mauzelle sont relevés chaque printemps depuis 1985. Nous montrons que leur nombre suit la durée des basses eaux de l’automne précédent, et non la hauteur des crues.',
    sections: [
      {
        anchor: 'methode',
        title: 'Méthode',
        paragraphs: [
          'Chaque gué est photographié depuis les mêmes douze repères, à la même heure solaire, la première semaine d’avril.',
          'Les hauteurs d’eau viennent des trois stations du bassin ; les lacunes de 1993 ont été comblées par la station aval.',
        ],
      },
      {
        anchor: 'resultats',
        title: 'Résultats',
        paragraphs: [
          'Vingt-trois gués sur trente se déplacent de moins de deux mètres par décennie. Les sept autres migrent vers l’amont.',
        ],
      },
      {
        anchor: 'references',
        title: 'Références',
        paragraphs: ['Delorme H. (2009). Marcher sur l’eau : les gués du bassin de la Mauzelle. Cahiers du bassin, 4.'],
      },
    ],
    figure: { columns: [42, 55, 38, 61, 70, 48, 66, 80], caption: 'Nombre de gués praticables, par lustre.' },
  },
  {
    id: 12,
    title: 'How footbridges sway when a whole school crosses',
    authors: 'A. Martin, S. Okonkwo',
    pages: '219–241',
    language: 'en',
    abstract:
      'Four hundred pupils crossed a suspended footbridge of 62 m in step, out of step, and late for lessons. Lateral sway stayed below 9 mm in the first two cases and reached 31 mm in the third.',
    sections: [
      {
        anchor: 'methods',
        title: 'Methods',
        paragraphs: [
          'Eleven accelerometers were fixed under the deck. Pupils carried their usual bags, which were weighed at the gate.',
          'Each crossing was repeated five times on three mornings. Nobody was told what was being measured.',
        ],
      },
      {
        anchor: 'results',
        title: 'Results',
        paragraphs: [
          'Walking in step excited the second vertical mode, as the textbooks say it should, and bothered nobody.',
          'Hurrying did what marching could not: small corrections of balance, made by everybody towards the same side, fed the first lateral mode until the deck was felt to move.',
        ],
      },
      {
        anchor: 'discussion',
        title: 'Discussion',
        paragraphs: [
          'We recommend dampers at the third points, and a bell that rings two minutes earlier. The second is cheaper.',
        ],
      },
      {
        anchor: 'references',
        title: 'References',
        paragraphs: ['Okonkwo S. (2021). The lateness of pupils as a random load. Structures in Daily Use, 17.'],
      },
    ],
    figure: {
      columns: [18, 24, 21, 29, 58, 74, 96, 62],
      caption: 'Lateral sway during one late crossing; the tallest column is 31 mm.',
    },
  },
  {
    id: 13,
    title: 'Un pont sans rivière : géographie d’un détournement',
    authors: 'C. Nguyễn-Perrot',
    pages: '242–255',
    language: 'fr',
    abstract:
      'Depuis le détournement de l’Ourcelle en 1911, le pont de Saint-Amarin n’enjambe plus rien. On y passe pourtant toujours. Enquête sur ceux qui refusent de traverser au pied sec.',
    sections: [
      {
        anchor: 'terrain',
        title: 'Terrain',
        paragraphs: [
          'Nous avons compté les passants pendant quatorze jours : 1 312 ont pris le pont, 46 le pré, et un seul a demandé où était l’eau.',
        ],
      },
      {
        anchor: 'references',
        title: 'Références',
        paragraphs: ['Perrot L. (1934). Mémoire d’un cours d’eau déplacé. Imprimerie du canton.'],
      },
    ],
    figure: { columns: [90, 88, 92, 85, 89, 91, 87, 93], caption: 'Passants par jour sur le pont, en nombre.' },
  },
]
