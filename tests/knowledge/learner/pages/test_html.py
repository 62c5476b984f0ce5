"""What is read of a page, and what is not."""

import pytest

from app.knowledge.learner.pages.html import MAX_DEPTH, read_html
from app.knowledge.learner.pages.page import Link, Page


def said(page: Page) -> list[tuple[str, str | None, list[str]]]:
    return [(it.heading, it.anchor, [each.text for each in it.blocks]) for it in page.parts]


def texts(html: str) -> list[str]:
    return [block.text for part in read_html(html).parts for block in part.blocks]


def test_sections_have_the_path_of_their_headings_and_where_they_open() -> None:
    page = read_html("""<html lang="de-AT"><title>Hours | Shop</title><body>
      <h1>Hours</h1><p>Before.</p>
      <section id=week><h2>Week</h2><p>Nine to five.</p>
        <h3 id=mon>Monday</h3><p>Closed.</p></section>
      <h2><a name=sun></a>Sunday<a class=headerlink href=#sun>¶</a></h2><p>From ten.</p>""")

    assert (page.title, page.head_title, page.language) == ("Hours", "Hours | Shop", "de-at")
    assert said(page) == [
        ("", None, ["Before."]),
        ("Week", "week", ["Nine to five."]),
        ("Week › Monday", "mon", ["Closed."]),
        ("Sunday", "sun", ["From ten."]),
    ]


@pytest.mark.parametrize(
    ("html", "title"),
    [
        ("<title>A – Shop</title><h1>A</h1>", "A"),
        ("<title>Hours | Shop</title><header><h1>Shop</h1></header><p>x", "Hours | Shop"),
        ("<title>Page — Docs</title><div><h1>Docs</h1></div><h1>Page</h1>", "Page"),
        ("<title>Only</title><p>x", "Only"),
        ("<h1>One</h1><h1>Two</h1>", "One"),
        ("<title>Welcome to us</title><h1>Hours</h1>", "Hours"),
        ("<p>nothing", ""),
    ],
)
def test_title_is_the_pages_own_and_not_the_sites(html: str, title: str) -> None:
    assert read_html(html).title == title


@pytest.mark.parametrize(
    "hidden",
    [
        "<script>Hidden</script>",
        "<style>Hidden</style>",
        "<template><p>Hidden</p></template>",
        "<noscript>Hidden</noscript>",
        "<!-- Hidden -->",
        "<nav>Hidden</nav>",
        "<header>Hidden</header>",
        "<footer>Hidden</footer>",
        "<aside>Hidden</aside>",
        "<form><p>Hidden</p></form>",
        "<p hidden>Hidden</p>",
        "<div aria-hidden=true>Hidden</div>",
        "<div style='DISPLAY : none'>Hidden</div>",
        "<div style='color:red;visibility:hidden'>Hidden</div>",
        "<span style='font-size:0px'>Hidden</span>",
        "<span style='opacity:0'>Hidden</span>",
        "<div data-perch=skip><p>Hidden</p></div>",
        "<div class='x comments'><p>Hidden</p></div>",
        "<ol class=commentlist><li>Hidden</li></ol>",
        "<div id=disqus_thread>Hidden</div>",
        "<section id=comments><div class=comment-body>Hidden</div></section>",
        "<div itemprop=review>Hidden</div>",
        "<div role=navigation>Hidden</div>",
        "<select><option>Hidden</option></select><button>Hidden</button>",
        "<dialog>Hidden</dialog><svg><text>Hidden</text></svg>",
        "<nav><nav>Hidden</nav><p hidden>Hidden</p></nav>",
        "<img alt=Hidden src=x>",
    ],
)
def test_what_a_reader_does_not_see_or_others_wrote_is_left_out(hidden: str) -> None:
    html = f"<body><p>Before</p>{hidden}<p>After</p></body>"

    assert texts(html) == ["Before", "After"]


@pytest.mark.parametrize(
    "shown",
    [
        "<form id=aspnet><h1>T</h1><p>Shown</p></form>",
        "<main><header><p>Shown</p></header></main>",
        "<aside class='admonition note'><p>Shown</p></aside>",
        "<section id=comments><h2>Comments in SQL</h2><p>Shown</p></section>",
        "<details><summary>More</summary><p>Shown</p></details>",
        "<p style='font-size:0.9em;opacity:0.5'>Shown</p>",
    ],
)
def test_what_only_looks_like_it_stays(shown: str) -> None:
    assert "Shown" in texts(f"<body>{shown}</body>")


def test_characters_that_nobody_sees_are_left_out() -> None:
    html = "<p>a\u200bb\u202ec\U000e0041d\u00ade\x07f</p>"

    assert texts(html) == ["abcdef"]


def test_table_of_the_pages_own_headings_is_left_out() -> None:
    html = """<h1>FAQ</h1><dl class=toc>
      <dt><a href="faq.html#a">1.1. What is it?</a></dt><dt><a href="#b">1.2. Why?</a></dt>
      <dt><a href="#c">Who?</a></dt></dl>
      <h2 id=a>1.1. What is it?</h2><p>It.</p><h2 id=b>1.2. Why?</h2><p>So.</p>
      <h2 id=c>1.3. Who?</h2><p>We.</p>"""

    assert texts(html) == ["It.", "So.", "We."]


def test_list_of_other_pages_stays() -> None:
    html = (
        "<h1>Services</h1><ul><li><a href=/a>Cuts</a><li><a href=/b>Dye</a><li><a href=/c>Wash</a>"
    )

    page = read_html(html)

    assert [tuple(each) for each in page.parts[0].blocks] == [
        ("- Cuts", True),
        ("- Dye", True),
        ("- Wash", True),
    ]


def test_list_items_breaks_and_code_keep_their_lines() -> None:
    html = (
        "<p>One<br>two\n  three</p><ul><li><p>Item</p><ul><li>Sub</ul></ul>"
        "<pre>def f():\n    return <b>1</b>\n</pre><p>in <code>x = 1</code> line</p>"
    )

    assert texts(html) == [
        "One\ntwo three",
        "- Item",
        "- Sub",
        "def f():\n    return 1",
        "in x = 1 line",
    ]


def test_only_the_main_part_is_read() -> None:
    assert texts("<div>Around</div><main><p>Main</p></main><div>Around</div>") == ["Main"]


def test_links_rules_and_canonical_are_told_as_they_were_written() -> None:
    page = read_html("""<head><link rel=canonical href="/c"><base href="/b/">
      <meta name=ROBOTS content="NoIndex, follow"></head>
      <nav><a href="/x">x</a></nav><a href="#here">h</a><a rel="nofollow ugc" href="y">y</a>""")

    assert (page.canonical, page.base) == ("/c", "/b/")
    assert (page.is_noindex, page.is_nofollow) == (True, False)
    assert page.links == [Link("/x"), Link("y", False)]


def test_depth_is_bounded() -> None:
    html = "<p>Top</p>" + "<div>" * (MAX_DEPTH + 100) + "Deep" + "</div>" * (MAX_DEPTH + 100)

    assert texts(html)[0] == "Top"
    assert "Deep" not in texts(html)


@pytest.mark.parametrize("html", ["", "\0", "<", "<p", "</p>", "<table><tr>", "a" * 10, "<html/>"])
def test_anything_is_html(html: str) -> None:
    read_html(html)
