/** Filters the page as one types: what does not hold every word is hidden, with its entry in the contents. */
const box = document.querySelector('#search')
const found = document.querySelector('#found')
const nothing = document.querySelector('#nothing')
const articles = [...document.querySelectorAll('article')]
const texts = new Map(articles.map((article) => [article, article.textContent.toLowerCase()]))
const links = [...document.querySelectorAll('nav a')]
const groups = [...document.querySelectorAll('section, nav > div')]

const target = (hash) => document.getElementById(decodeURIComponent(hash.slice(1)))

function filter() {
  const words = box.value.toLowerCase().split(/\s+/).filter(Boolean)
  for (const article of articles) {
    article.hidden = !words.every((word) => texts.get(article).includes(word))
  }
  for (const link of links) link.parentElement.hidden = target(link.hash)?.hidden ?? false
  for (const group of groups)
    group.hidden = !group.querySelector('article:not([hidden]), li:not([hidden])')
  const count = articles.filter(({ hidden }) => !hidden).length
  found.value = words.length > 0 ? `${count} of ${articles.length}` : ''
  nothing.hidden = count > 0
}

/** A link to something that the search hides ends the search. */
function follow() {
  const article = target(location.hash)
  if (!article?.hidden) return
  box.value = ''
  filter()
  article.scrollIntoView()
}

box.addEventListener('input', filter)
addEventListener('hashchange', follow)
addEventListener('keydown', (event) => {
  if (event.key !== '/' || event.target === box) return
  event.preventDefault()
  box.focus()
})
filter()
