package io.pare.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;

/**
 * A chart of lines or bars as HTML with one inline SVG: no AWT, so it works on machines without fonts or a display.
 *
 * <p>Positions are percentages, so that a narrow page narrows the plot and not its text. Values that an axis does not show
 * leave a gap. What was measured at one place of the x axis is written in the title of a column there, which browsers
 * show on hover. Needs the style of {@link HtmlPage}. Not thread-safe.
 */
public final class Chart {
    private static final int COLOURS = 7;
    private static final int DASHES = 4;
    /** Units of the inner picture, which is stretched over the plot. */
    private static final double SIZE = 1000;
    /** Above so many places where something was measured, markers are small. */
    private static final int DENSE = 30;
    /** A column for hovering reaches no further than this part of the axis from where something was measured. */
    private static final double REACH = 0.05;
    /** Labels of rules that are nearer to each other would overlap on a narrow page. */
    private static final double APART = 0.05;

    private record Series(String name, double[] x, double[] y, double barWidth) {
        boolean bars() {
            return barWidth > 0;
        }
    }

    private record Reference(String name, double y) {}

    private record Rule(double x, String label) {}

    private final String title;
    private final Axis x;
    private final Axis y;
    private final List<Series> series = new ArrayList<>();
    private final List<Reference> references = new ArrayList<>();
    private final List<Rule> rules = new ArrayList<>();

    public Chart(String title, Axis x, Axis y) {
        this.title = title;
        this.x = x;
        this.y = y;
    }

    /** Adds a line with markers through the points; both arrays have the same length and are copied. */
    public Chart line(String name, double[] x, double[] y) {
        return add(name, x, y, 0);
    }

    /**
     * Adds bars from the bottom of the plot; both arrays have the same length and are copied.
     *
     * @param width of a bar around its x, in units of the x axis, above 0
     */
    public Chart bars(String name, double[] x, double[] y, double width) {
        if (!(width > 0)) {
            throw new IllegalArgumentException(name + " has bars of width " + width);
        }
        return add(name, x, y, width);
    }

    /** Adds a level line over the whole width, such as what was there before; its value is named in the legend. */
    public Chart reference(String name, double y) {
        references.add(new Reference(name, y));
        return this;
    }

    /** Adds an upright rule with a short label above the plot. */
    public Chart rule(double x, String label) {
        rules.add(new Rule(x, label));
        return this;
    }

    private Chart add(String name, double[] x, double[] y, double barWidth) {
        if (x.length != y.length) {
            throw new IllegalArgumentException(name + " has " + x.length + " x and " + y.length + " y values");
        }
        series.add(new Series(name, x.clone(), y.clone(), barWidth));
        return this;
    }

    /** The chart as one {@code <figure>} element. */
    public String html() {
        Ticks across = Ticks.of(x, series.stream().map(Series::x).toList(),
                x.scale() == Axis.Scale.LOGARITHMIC ? 10 : 7, false);
        List<double[]> heights = new ArrayList<>(series.stream().map(Series::y).toList());
        heights.add(references.stream().mapToDouble(Reference::y).toArray());
        Ticks up = Ticks.of(y, heights, 6, true);
        StringBuilder html = new StringBuilder(rules.isEmpty() ? "<figure>" : "<figure class=\"rules\">")
                .append("<figcaption>").append(HtmlPage.escape(title))
                .append("</figcaption>\n");
        legend(html);
        html.append("<p class=\"up\">").append(HtmlPage.escape(y.label())).append("</p>\n<div class=\"plot\">\n");
        html.append("<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"")
                .append(HtmlPage.escape(title)).append("\">\n");
        grid(html, across, up);
        html.append(
                format("<svg class=\"data\" viewBox=\"0 0 %.0f %.0f\" preserveAspectRatio=\"none\">\n", SIZE, SIZE));
        boolean dense = series.stream().flatMapToDouble(line -> Arrays.stream(line.x())).distinct().count() > DENSE;
        for (int i = 0; i < series.size(); i++) {
            html.append(format("<g class=\"%s\" data-line=\"%d\">", style(i), i));
            draw(html, i, dense, across, up);
            html.append("</g>\n");
        }
        html.append("</svg>\n");
        boolean empty = columns(html, across, up) == 0;
        html.append("</svg>\n<p class=\"values\" hidden=\"hidden\"></p>\n");
        if (empty) {
            html.append("<p class=\"empty\">nothing was measured</p>\n");
        }
        return html.append("</div>\n<p class=\"across\">").append(HtmlPage.escape(x.label()))
                .append("</p>\n</figure>\n").toString();
    }

    private static String style(int line) {
        return "c" + line % COLOURS + " d" + line / COLOURS % DASHES;
    }

    private void legend(StringBuilder html) {
        html.append("<ul class=\"legend\">\n");
        for (int i = 0; i < series.size(); i++) {
            String key = series.get(i).bars()
                    ? format("<path class=\"bars%s\" d=\"M4 0H20V10H4Z\"/>", narrow(i) ? "" : " wide")
                    : "<path class=\"stroke\" d=\"M1 5H23\"/><path class=\"dots\" d=\"M12 5h0\"/>";
            entry(html, format("class=\"%s\" data-line=\"%d\"", style(i), i), key, series.get(i).name());
        }
        for (Reference reference : references) {
            entry(html, "class=\"reference\"", "<path class=\"stroke\" d=\"M1 5H23\"/>",
                    reference.name() + " " + y.text(reference.y()));
        }
        html.append("</ul>\n");
    }

    private static void entry(StringBuilder html, String attributes, String key, String name) {
        html.append("<li ").append(attributes).append("><svg viewBox=\"0 0 24 10\" aria-hidden=\"true\">").append(key)
                .append("</svg>").append(HtmlPage.escape(name)).append("</li>\n");
    }

    /** Whether a series has narrower bars than the one before it, in front of which it stands. */
    private boolean narrow(int i) {
        return i > 0 && series.get(i).barWidth() < series.get(i - 1).barWidth();
    }

    private void grid(StringBuilder html, Ticks across, Ticks up) {
        for (Ticks.Tick tick : up.ticks()) {
            String at = down(up.part(tick.value()));
            html.append(format("<line class=\"grid\" x1=\"0\" x2=\"100%%\" y1=\"%s\" y2=\"%s\"/>"
                    + "<text x=\"-8\" y=\"%s\" dy=\"4\" text-anchor=\"end\">%s</text>\n",
                    at, at, at, tick.label()));
        }
        for (Ticks.Tick tick : across.ticks()) {
            String at = percent(across.part(tick.value()));
            html.append(format("<g%s><line class=\"grid\" x1=\"%s\" x2=\"%s\" y1=\"0\" y2=\"100%%\"/>"
                    + "<text x=\"%s\" y=\"100%%\" dy=\"18\" text-anchor=\"middle\">%s</text></g>\n",
                    tick.minor() ? " class=\"minor\"" : "", at, at, at, tick.label()));
        }
        html.append("<line class=\"axis\" x1=\"0\" x2=\"100%\" y1=\"100%\" y2=\"100%\"/>\n");
        double last = Double.NEGATIVE_INFINITY;
        for (Rule rule : rules) {
            double part = across.part(rule.x());
            if (!(part >= 0 && part <= 1)) {
                continue;
            }
            String at = percent(part);
            if (part > 0) {
                html.append(format("<line class=\"rule\" x1=\"%s\" x2=\"%s\" y1=\"0\" y2=\"100%%\"/>\n", at, at));
            }
            if (part - last >= APART) {
                html.append(format("<text class=\"rule\" x=\"%s\" y=\"0\" dx=\"2\" dy=\"-5\">%s</text>\n", at,
                        HtmlPage.escape(rule.label())));
                last = part;
            }
        }
        for (Reference reference : references) {
            double part = up.part(reference.y());
            if (part >= 0 && part <= 1) {
                String at = down(part);
                html.append(format("<line class=\"reference\" x1=\"0\" x2=\"100%%\" y1=\"%s\" y2=\"%s\"/>\n", at, at));
            }
        }
    }

    private void draw(StringBuilder html, int number, boolean dense, Ticks across, Ticks up) {
        Series line = series.get(number);
        StringBuilder path = new StringBuilder();
        StringBuilder dots = new StringBuilder();
        boolean pen = false;
        for (int i = 0; i < line.x().length; i++) {
            double right = SIZE * across.part(line.x()[i]);
            double down = SIZE * (1 - up.part(line.y()[i]));
            if (Double.isNaN(right) || Double.isNaN(down)) {
                pen = false;
                continue;
            }
            if (line.bars()) {
                double half = SIZE * (across.part(line.x()[i] + line.barWidth() / 2) - across.part(line.x()[i]));
                path.append(format("M%.1f %.0fV%.1fH%.1fV%.0fZ ", right - half, SIZE, down, right + half, SIZE));
            } else {
                path.append(format("%s%.1f %.1f ", pen ? "L" : "M", right, down));
                dots.append(format("M%.1f %.1fh0 ", right, down));
            }
            pen = true;
        }
        if (line.bars()) {
            html.append(format("<path class=\"bars%s\" d=\"%s\"/>", narrow(number) ? "" : " wide",
                    path.toString().trim()));
        } else {
            html.append(format("<path class=\"stroke\" d=\"%s\"/>", path.toString().trim()));
            html.append(format("<path class=\"dots%s\" d=\"%s\"/>", dense ? " small" : "",
                    dots.toString().trim()));
        }
    }

    /** A column with the measured values for each place where there are any; returns their number. */
    private int columns(StringBuilder html, Ticks across, Ticks up) {
        TreeMap<Double, StringBuilder> texts = new TreeMap<>();
        for (Series line : series) {
            for (int i = 0; i < line.x().length; i++) {
                if (x.shows(line.x()[i]) && y.shows(line.y()[i])) {
                    texts.computeIfAbsent(line.x()[i],
                            at -> new StringBuilder(x.label()).append(' ').append(x.text(at)))
                            .append('\n').append(line.name()).append("  ").append(y.text(line.y()[i]));
                }
            }
        }
        double[] parts = texts.keySet().stream().mapToDouble(across::part).toArray();
        int i = 0;
        for (StringBuilder text : texts.values()) {
            double left = Math.max(parts[i] - REACH, i == 0 ? 0 : (parts[i - 1] + parts[i]) / 2);
            double right = Math.min(parts[i] + REACH, i == parts.length - 1 ? 1 : (parts[i] + parts[i + 1]) / 2);
            html.append(format("<g class=\"at\"><title>%s</title><rect x=\"%s\" width=\"%s\" height=\"100%%\"/>"
                    + "<line x1=\"%s\" x2=\"%s\" y1=\"0\" y2=\"100%%\"/></g>\n", HtmlPage.escape(text.toString()),
                    percent(left), percent(Math.max(0, right - left)), percent(parts[i]), percent(parts[i])));
            i++;
        }
        return parts.length;
    }

    private static String down(double part) {
        return percent(1 - part);
    }

    private static String percent(double part) {
        return format("%.2f%%", 100 * part);
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }
}
