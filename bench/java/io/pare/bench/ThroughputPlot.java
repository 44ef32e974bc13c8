package io.pare.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.File;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import javax.imageio.ImageIO;

/** Draws the throughput of the top-k projection and its peers over n: {@code ThroughputPlot peers.json out.png}. */
public final class ThroughputPlot {
    private static final int WIDTH = 900;
    private static final int HEIGHT = 560;
    private static final int LEFT = 80;
    private static final int RIGHT = 170;
    private static final int TOP = 50;
    private static final int BOTTOM = 60;
    private static final Color[] COLOURS = {new Color(0x888888), new Color(0xd62728), new Color(0x1f77b4),
        new Color(0xff7f0e), new Color(0x2ca02c), new Color(0x9467bd)};
    /** Decades of the axes: elements, and elements a second. */
    private static final double LEAST_N = 4;
    private static final double MOST_N = 8.2;
    private static final double LEAST_RATE = 6.5;
    private static final double MOST_RATE = 10.5;

    public static void main(String[] arguments) throws IOException {
        Map<String, Map<Long, Double>> series = new LinkedHashMap<>();
        for (JsonNode row : new ObjectMapper().readTree(new File(arguments[0]))) {
            if (row.get("keep").asDouble() == 0.1 && !row.get("call").asText().endsWith("step")) {
                long n = row.get("n").asLong();
                series.computeIfAbsent(row.get("call").asText(), name -> new TreeMap<>()).put(n,
                        n / (row.get("microseconds").asDouble() * 1e-6));
            }
        }
        BufferedImage image = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB);
        Graphics2D g = image.createGraphics();
        g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        g.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        g.setColor(Color.WHITE);
        g.fillRect(0, 0, WIDTH, HEIGHT);
        axes(g);
        int colour = 0;
        for (Map.Entry<String, Map<Long, Double>> one : series.entrySet()) {
            line(g, one.getKey(), one.getValue(), COLOURS[colour++ % COLOURS.length]);
        }
        g.dispose();
        ImageIO.write(image, "png", new File(arguments[1]));
    }

    private static int x(double n) {
        return (int) Math.round(LEFT + (Math.log10(n) - LEAST_N) / (MOST_N - LEAST_N) * (WIDTH - LEFT - RIGHT));
    }

    private static int y(double rate) {
        return (int) Math.round(HEIGHT - BOTTOM
                - (Math.log10(rate) - LEAST_RATE) / (MOST_RATE - LEAST_RATE) * (HEIGHT - TOP - BOTTOM));
    }

    private static void axes(Graphics2D g) {
        g.setFont(new Font(Font.SANS_SERIF, Font.BOLD, 15));
        g.setColor(Color.BLACK);
        g.drawString("Top-k projection, keep 10 %, one thread: elements a second over n", LEFT, TOP - 20);
        g.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
        for (int decade = 4; decade <= 8; decade++) {
            int at = x(Math.pow(10, decade));
            g.setColor(new Color(0xe4e4e4));
            g.drawLine(at, TOP, at, HEIGHT - BOTTOM);
            g.setColor(Color.BLACK);
            String label = new String[]{"10 k", "100 k", "1 M", "10 M", "100 M"}[decade - 4];
            g.drawString(label, at - g.getFontMetrics().stringWidth(label) / 2, HEIGHT - BOTTOM + 20);
        }
        for (int decade = 7; decade <= 10; decade++) {
            int at = y(Math.pow(10, decade));
            g.setColor(new Color(0xe4e4e4));
            g.drawLine(LEFT, at, WIDTH - RIGHT, at);
            g.setColor(Color.BLACK);
            String label = new String[]{"10 M/s", "100 M/s", "1 G/s", "10 G/s"}[decade - 7];
            g.drawString(label, LEFT - 8 - g.getFontMetrics().stringWidth(label), at + 5);
        }
        g.drawRect(LEFT, TOP, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
        g.drawString("weights", (LEFT + WIDTH - RIGHT) / 2 - 25, HEIGHT - 15);
    }

    private static void line(Graphics2D g, String name, Map<Long, Double> points, Color colour) {
        g.setColor(colour);
        g.setStroke(new BasicStroke("pare".equals(name) ? 3.5f : 2));
        int lastX = -1;
        int lastY = -1;
        for (Map.Entry<Long, Double> point : points.entrySet()) {
            int atX = x(point.getKey());
            int atY = y(point.getValue());
            if (lastX >= 0) {
                g.drawLine(lastX, lastY, atX, atY);
            }
            g.fillOval(atX - 4, atY - 4, 8, 8);
            lastX = atX;
            lastY = atY;
        }
        g.setStroke(new BasicStroke(1));
        if (lastX >= 0) {
            g.drawString(name, WIDTH - RIGHT + 10, lastY + 5);
        }
    }
}
