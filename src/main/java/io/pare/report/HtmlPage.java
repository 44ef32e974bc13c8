package io.pare.report;

import io.pare.file.AtomicFile;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A self-contained HTML page: headings, paragraphs, tables and charts, nothing loaded from elsewhere. It follows the
 * reader's choice of a light or dark theme, and is legible from the width of a telephone on. Not thread-safe.
 */
public final class HtmlPage {
    private static final String STYLE = """
            :root { color-scheme: light dark; --ground: #fff; --ink: #1c1d1f; --quiet: #5c6066; --edge: #d4d7db;
              --grid: #e9ebee; --raised: #f5f6f7; --c0: #0072b2; --c1: #d55e00; --c2: #00805e; --c3: #b4508c;
              --c4: #9a7300; --c5: #2f96d0; --c6: #55585e; }
            @media (prefers-color-scheme: dark) { :root { --ground: #17181a; --ink: #e6e7e9; --quiet: #a2a7ae;
              --edge: #44474c; --grid: #2b2d31; --raised: #222427; --c0: #5db2f2; --c1: #ff9350; --c2: #3ecb9f;
              --c3: #e795c3; --c4: #e8bd45; --c5: #a9dcff; --c6: #b9bdc4; } }
            * { box-sizing: border-box; }
            body { font: 16px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; max-width: 60rem;
              margin: 0 auto; padding: 1rem 1rem 3rem; color: var(--ink); background: var(--ground);
              overflow-wrap: anywhere; }
            h1 { font-size: 1.5rem; line-height: 1.25; margin: 1rem 0 0.5rem; }
            h2 { font-size: 1.15rem; line-height: 1.3; margin: 2.5rem 0 0.5rem; }
            p { margin: 0.5rem 0; max-width: 44rem; }
            .note { border-left: 4px solid var(--c1); padding: 0.25rem 0 0.25rem 0.75rem; }
            dl { display: flex; flex-wrap: wrap; gap: 0.25rem 1.75rem; margin: 0.75rem 0; }
            dt { color: var(--quiet); font-size: 0.75rem; }
            dd { margin: 0; font-size: 0.875rem; }
            .scroll { overflow-x: auto; margin: 0.75rem 0; }
            table { border-collapse: collapse; font-size: 0.8125rem; font-variant-numeric: tabular-nums; }
            th, td { padding: 0.3rem 0.4rem 0.3rem 0; text-align: left; vertical-align: top;
              border-bottom: 1px solid var(--edge); }
            th { color: var(--quiet); font-weight: 600; vertical-align: bottom; overflow-wrap: normal; }
            th + th, td + td { padding-left: 0.4rem; }
            th:last-child, td:last-child { padding-right: 0; }
            td:first-child { min-width: 6.5rem; }
            .number { text-align: right; }
            td.number { white-space: nowrap; }
            figure { margin: 1.25rem 0 2rem; min-width: 0; }
            .charts figure { margin: 0.75rem 0 1.25rem; }
            figcaption { font-weight: 600; }
            .charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr));
              gap: 0 1.5rem; }
            .charts .plot { height: 10rem; }
            .legend { list-style: none; display: flex; flex-wrap: wrap; gap: 0.1rem 1rem; margin: 0.25rem 0; padding: 0;
              max-height: 9rem; overflow-y: auto;
              font-size: 0.8125rem; }
            .legend svg { width: 24px; height: 10px; margin-right: 0.4rem; }
            .up, .across { color: var(--quiet); font-size: 0.75rem; margin: 0.25rem 0; max-width: none; }
            .across { text-align: center; margin: 1.5rem 1.5rem 0 3.5rem; }
            .plot { position: relative; height: 15rem; margin: 0.75rem 1.5rem 0 3.5rem; }
            .rules .plot { margin-top: 1.4rem; }
            .plot > svg { display: block; width: 100%; height: 100%; overflow: visible; }
            .data { width: 100%; height: 100%; overflow: visible; pointer-events: none; }
            svg text { font-size: 12px; fill: var(--quiet); }
            svg line { stroke: var(--edge); }
            svg .grid { stroke: var(--grid); }
            svg .rule { stroke-dasharray: 1 3; stroke: var(--quiet); }
            svg text.rule { stroke: none; font-size: 11px; }
            .reference, .reference .stroke { stroke: var(--ink); stroke-dasharray: 6 4; }
            li.reference { stroke: none; }
            .stroke, .dots { fill: none; stroke: var(--c); vector-effect: non-scaling-stroke; stroke-linejoin: round; }
            .stroke { stroke-width: 1.75px; }
            .dots { stroke-width: 6px; stroke-linecap: round; }
            .dots.small { stroke-width: 3.5px; }
            .bars { fill: var(--c); }
            .bars.wide { fill-opacity: 0.4; }
            .c0 { --c: var(--c0); } .c1 { --c: var(--c1); } .c2 { --c: var(--c2); } .c3 { --c: var(--c3); }
            .c4 { --c: var(--c4); } .c5 { --c: var(--c5); } .c6 { --c: var(--c6); }
            .d1 .stroke { stroke-dasharray: 7 3; } .d2 .stroke { stroke-dasharray: 2 3; }
            .d3 .stroke { stroke-dasharray: 9 3 2 3; }
            .at rect { fill: none; pointer-events: all; }
            .at line { visibility: hidden; stroke: var(--quiet); pointer-events: none; }
            .at:hover line { visibility: visible; }
            .faded g[data-line]:not(.chosen) { opacity: 0.12; }
            .values { position: absolute; top: 0.5rem; margin: 0; padding: 0.4rem 0.6rem; white-space: pre;
              font-size: 0.75rem; line-height: 1.4; pointer-events: none; background: var(--raised); z-index: 1;
              border: 1px solid var(--edge); border-radius: 4px; font-variant-numeric: tabular-nums; }
            .empty { position: absolute; top: 40%; width: 100%; text-align: center; margin: 0; color: var(--quiet); }
            @media (max-width: 35rem) {
              .minor { display: none; }
              .plot { height: 13rem; }
              .scroll { overflow-x: visible; }
              table, tbody { display: block; font-size: 0.875rem; }
              tr:first-child { display: none; }
              tr { display: grid; grid-template-columns: repeat(auto-fill, minmax(6.25rem, 1fr)); gap: 0.2rem 0.75rem;
                padding: 0.5rem 0; border-bottom: 1px solid var(--edge); }
              td, td + td { display: block; padding: 0; border: 0; text-align: left; }
              td:first-child, td.text { grid-column: 1 / -1; }
              td:first-child { font-weight: 600; }
              td:empty { display: none; }
              td.number { white-space: normal; text-align: left; }
              td + td::before { content: attr(data-head); display: block; color: var(--quiet); font-size: 0.75rem; }
            }
            """;

    /** Shows a column's values at once and on touch, and a line alone while its name is pointed at. */
    private static final String SCRIPT = """
            for (const figure of document.querySelectorAll("figure")) {
              const box = figure.querySelector(".values");
              for (const at of figure.querySelectorAll(".at")) {
                const title = at.querySelector("title");
                const text = title.textContent;
                title.remove();
                at.addEventListener("pointerenter", () => {
                  const plot = box.parentElement.getBoundingClientRect();
                  const line = at.querySelector("line").getBoundingClientRect();
                  const middle = line.left - plot.left;
                  const left = middle > plot.width / 2;
                  box.textContent = text;
                  box.style.left = left ? "auto" : middle + 12 + "px";
                  box.style.right = left ? plot.width - middle + 12 + "px" : "auto";
                  box.hidden = false;
                });
              }
              figure.addEventListener("pointerleave", event => {
                box.hidden = event.pointerType !== "touch" || box.hidden;
              });
              for (const name of figure.querySelectorAll("li[data-line]")) {
                const line = figure.querySelector(`g[data-line="${name.dataset.line}"]`);
                for (const [event, on] of [["pointerenter", true], ["pointerleave", false]]) {
                  name.addEventListener(event, () => {
                    figure.classList.toggle("faded", on);
                    line.classList.toggle("chosen", on);
                  });
                }
              }
            }
            """;

    /**
     * The head of a table's column.
     *
     * @param name what stands in it
     * @param number whether its cells are numbers, to be aligned at the right
     */
    public record Column(String name, boolean number) {
        public static Column text(String name) {
            return new Column(name, false);
        }

        public static Column number(String name) {
            return new Column(name, true);
        }
    }

    private final String title;
    private final StringBuilder body = new StringBuilder();

    public HtmlPage(String title) {
        this.title = title;
    }

    /** Adds a heading of the second level. */
    public HtmlPage heading(String text) {
        return element("h2", "", text);
    }

    public HtmlPage paragraph(String text) {
        return element("p", "", text);
    }

    /** Adds a paragraph that must not be overlooked. */
    public HtmlPage note(String text) {
        return element("p", " class=\"note\"", text);
    }

    /** Adds names and what they are, such as data and seed of a run, in a row. */
    public HtmlPage facts(Map<String, String> facts) {
        body.append("<dl>\n");
        facts.forEach((name, fact) -> body.append("<div><dt>").append(escape(name)).append("</dt><dd>")
                .append(escape(fact)).append("</dd></div>\n"));
        body.append("</dl>\n");
        return this;
    }

    /** Adds a table; every row has as many cells as the head. */
    public HtmlPage table(List<Column> head, List<? extends List<String>> rows) {
        body.append("<div class=\"scroll\"><table>\n<tr>");
        for (Column column : head) {
            body.append("<th class=\"").append(kind(column)).append("\">").append(escape(column.name()))
                    .append("</th>");
        }
        body.append("</tr>\n");
        for (List<String> row : rows) {
            if (row.size() != head.size()) {
                throw new IllegalArgumentException("a row of " + row.size() + " cells under a head of " + head.size());
            }
            body.append("<tr>");
            for (int i = 0; i < row.size(); i++) {
                body.append("<td class=\"").append(kind(head.get(i))).append("\" data-head=\"")
                        .append(escape(head.get(i).name())).append("\">").append(escape(row.get(i))).append("</td>");
            }
            body.append("</tr>\n");
        }
        body.append("</table></div>\n");
        return this;
    }

    /** Adds a chart over the whole width. */
    public HtmlPage chart(Chart chart) {
        body.append(chart.html());
        return this;
    }

    /** Adds small charts, beside each other where the page is wide enough. */
    public HtmlPage charts(List<Chart> charts) {
        body.append("<div class=\"charts\">\n");
        charts.forEach(this::chart);
        body.append("</div>\n");
        return this;
    }

    /** The whole page. */
    public String html() {
        return """
                <!DOCTYPE html>
                <html lang="en">
                <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <link rel="icon" href="data:,"/>
                """ + "<title>" + escape(title) + "</title>\n<style>\n" + STYLE + "</style>\n</head>\n<body>\n<h1>"
                + escape(title) + "</h1>\n" + body + "<script>\n" + SCRIPT + "</script>\n</body>\n</html>\n";
    }

    /** Writes the page in one step. */
    public void write(Path target) {
        AtomicFile.write(target, html());
    }

    static String escape(String text) {
        return Printable.text(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"",
                "&quot;");
    }

    private HtmlPage element(String name, String attributes, String text) {
        body.append('<').append(name).append(attributes).append('>').append(escape(text)).append("</").append(name)
                .append(">\n");
        return this;
    }

    private static String kind(Column column) {
        return column.number() ? "number" : "text";
    }
}
