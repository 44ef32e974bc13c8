package io.pare.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A line chart as SVG text, for HTML pages: no AWT, so it works on machines without fonts or a display.
 *
 * <p>Values that are not finite leave a gap. Not thread-safe.
 */
public final class LineChart {
    private static final int WIDTH = 640;
    private static final int HEIGHT = 320;
    private static final int LEFT = 64;
    private static final int RIGHT = 16;
    private static final int TOP = 32;
    private static final int BOTTOM = 44;
    private static final int TICKS = 5;
    /** Colours that people with any colour vision can tell apart (Okabe and Ito). */
    private static final List<String> COLOURS = List.of("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00",
            "#56b4e9", "#000000");

    private record Line(String name, double[] x, double[] y) {}

    private final String title;
    private final String xLabel;
    private final String yLabel;
    private final List<Line> lines = new ArrayList<>();
    private boolean logarithmic;

    public LineChart(String title, String xLabel, String yLabel) {
        this.title = title;
        this.xLabel = xLabel;
        this.yLabel = yLabel;
    }

    /** Adds a line through the points; both arrays have the same length and are copied. */
    public LineChart line(String name, double[] x, double[] y) {
        if (x.length != y.length) {
            throw new IllegalArgumentException(name + " has " + x.length + " x and " + y.length + " y values");
        }
        lines.add(new Line(name, x.clone(), y.clone()));
        return this;
    }

    /** Makes the y axis logarithmic; values of 0 and below leave a gap. */
    public LineChart logarithmic() {
        logarithmic = true;
        return this;
    }

    /** The chart as one {@code <svg>} element. */
    public String svg() {
        double[] xs = span(false);
        double[] ys = span(true);
        StringBuilder svg = new StringBuilder();
        svg.append(format("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\""
                + " font-family=\"sans-serif\" font-size=\"12\">\n", WIDTH, HEIGHT, WIDTH, HEIGHT));
        svg.append(format("<text x=\"%d\" y=\"18\" font-size=\"14\" font-weight=\"bold\">%s</text>\n", LEFT,
                HtmlPage.escape(title)));
        axes(svg, xs, ys);
        for (int i = 0; i < lines.size(); i++) {
            String colour = COLOURS.get(i % COLOURS.size());
            svg.append(format("<path fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\" d=\"%s\"/>\n", colour,
                    path(lines.get(i), xs, ys)));
            svg.append(format("<text x=\"%d\" y=\"%d\" fill=\"%s\" text-anchor=\"end\">%s</text>\n",
                    WIDTH - RIGHT - 4, TOP + 14 + 15 * i, colour, HtmlPage.escape(lines.get(i).name())));
        }
        return svg.append("</svg>\n").toString();
    }

    private void axes(StringBuilder svg, double[] xs, double[] ys) {
        for (int i = 0; i <= TICKS; i++) {
            double x = xs[0] + (xs[1] - xs[0]) * i / TICKS;
            double y = ys[0] + (ys[1] - ys[0]) * i / TICKS;
            double across = LEFT + (WIDTH - LEFT - RIGHT) * i / (double) TICKS;
            double up = HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * i / (double) TICKS;
            svg.append(format("<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#ddd\"/>\n", LEFT,
                    WIDTH - RIGHT, up, up));
            svg.append(format("<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n", LEFT - 6, up + 4,
                    number(logarithmic ? Math.pow(10, y) : y)));
            svg.append(format("<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", across,
                    HEIGHT - BOTTOM + 16, number(x)));
        }
        svg.append(format("<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", (WIDTH + LEFT) / 2, HEIGHT - 6,
                HtmlPage.escape(xLabel)));
        svg.append(format("<text transform=\"translate(14 %d) rotate(-90)\" text-anchor=\"middle\">%s</text>\n",
                HEIGHT / 2, HtmlPage.escape(yLabel)));
    }

    private String path(Line line, double[] xs, double[] ys) {
        StringBuilder path = new StringBuilder();
        boolean pen = false;
        for (int i = 0; i < line.x().length; i++) {
            double y = scaled(line.y()[i]);
            if (!Double.isFinite(y) || !Double.isFinite(line.x()[i])) {
                pen = false;
                continue;
            }
            double across = LEFT + (WIDTH - LEFT - RIGHT) * (line.x()[i] - xs[0]) / (xs[1] - xs[0]);
            double down = HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (y - ys[0]) / (ys[1] - ys[0]);
            path.append(format("%s%.1f %.1f ", pen ? "L" : "M", across, down));
            pen = true;
        }
        return path.toString().trim();
    }

    /** Smallest and largest finite value, apart from each other even when there is one or none. */
    private double[] span(boolean vertical) {
        double least = Double.POSITIVE_INFINITY;
        double most = Double.NEGATIVE_INFINITY;
        for (Line line : lines) {
            for (double raw : vertical ? line.y() : line.x()) {
                double value = vertical ? scaled(raw) : raw;
                if (Double.isFinite(value)) {
                    least = Math.min(least, value);
                    most = Math.max(most, value);
                }
            }
        }
        if (least > most) {
            return new double[]{0, 1};
        }
        return least < most ? new double[]{least, most} : new double[]{least - 0.5, most + 0.5};
    }

    private double scaled(double y) {
        return logarithmic ? y > 0 ? Math.log10(y) : Double.NaN : y;
    }

    private static String number(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e6
                ? Long.toString((long) value)
                : format("%.4g", value);
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }
}
