package io.pare.bench;

import io.pare.data.Batches;
import io.pare.data.Corpus;
import io.pare.data.ImageFolder;
import io.pare.data.OddImages;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The input pipeline alone: JPEG files of 256 x 341 pixels become augmented batches of 3 x 224 x 224, in images a second.
 *
 * <p>The photographs come from the folder of {@code -Dpare.bench.images}, 512 of them, brought to that size and quality
 * 90 beforehand; without it they are made up of waves and noise, which costs about as much to decode.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 4, time = 3)
@Measurement(iterations = 5, time = 3)
@Fork(value = 1, jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class ImagePipelineBench {
    private static final int BATCH = 32;
    private static final int IMAGES = 512;
    private static final int WIDTH = 341;
    private static final int HEIGHT = 256;

    /** Loading threads; 0 reads in the measuring thread. */
    @Param({"0", "1", "2"})
    private int loaders;

    private Path folder;
    private Region region;
    private Batches batches;
    private FloatTensor images;
    private MemorySegment labels;

    @Setup(Level.Trial)
    public void open() throws IOException {
        folder = Files.createTempDirectory("pare-bench");
        fill(folder);
        Corpus corpus = ImageFolder.load(folder, new ImageFolder.Shape(3, 224, 224, 0), OddImages.refused(), 1);
        batches = Batches.shuffled(corpus.train().loaders(loaders), BATCH, corpus.scale(), corpus.augmentation(), 1);
        region = Region.shared("bench");
        images = region.tensor(BATCH, 3, 224, 224);
        labels = region.allocate(BATCH * Integer.BYTES);
    }

    @TearDown(Level.Trial)
    public void close() throws IOException {
        batches.close();
        region.close();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    @Benchmark
    @OperationsPerInvocation(BATCH)
    public int images() {
        int count = batches.next(images, labels);
        if (count == 0) {
            batches.seek(batches.epoch() + 1, 0);
            count = batches.next(images, labels);
        }
        return count;
    }

    private static void fill(Path folder) throws IOException {
        ImageIO.setUseCache(false);
        String given = System.getProperty("pare.bench.images");
        List<Path> sources = List.of();
        if (given != null) {
            try (Stream<Path> files = Files.walk(Path.of(given))) {
                sources = files.filter(file -> file.toString().toLowerCase().matches(".*\\.jpe?g")).sorted().toList();
            }
        }
        for (int i = 0; i < IMAGES; i++) {
            BufferedImage original = sources.isEmpty()
                    ? waves(i)
                    : ImageIO.read(sources.get((int) ((long) i * sources.size() / IMAGES)).toFile());
            BufferedImage picture = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB);
            Graphics2D graphics = picture.createGraphics();
            graphics.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC);
            graphics.drawImage(original, 0, 0, WIDTH, HEIGHT, null);
            graphics.dispose();
            write(folder.resolve("train/one/" + i + ".jpg"), picture);
            if (i == 0) {
                write(folder.resolve("test/one/" + i + ".jpg"), picture);
            }
        }
    }

    private static void write(Path file, BufferedImage picture) throws IOException {
        Files.createDirectories(file.getParent());
        ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
        ImageWriteParam param = writer.getDefaultWriteParam();
        param.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
        param.setCompressionQuality(0.9f);
        try (ImageOutputStream out = ImageIO.createImageOutputStream(file.toFile())) {
            writer.setOutput(out);
            writer.write(null, new IIOImage(picture, null, null), param);
        } finally {
            writer.dispose();
        }
    }

    private static BufferedImage waves(int seed) {
        BufferedImage picture = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB);
        SplittableRandom random = new SplittableRandom(seed);
        double across = random.nextDouble(5, 60);
        double down = random.nextDouble(5, 60);
        for (int y = 0; y < HEIGHT; y++) {
            for (int x = 0; x < WIDTH; x++) {
                int light = (int) (100 + 80 * Math.sin(across * x / WIDTH) * Math.cos(down * y / HEIGHT));
                int noise = random.nextInt(40);
                picture.setRGB(x, y, (light + noise) << 16 | (light / 2 + 60 + noise) << 8 | (180 - light / 2 + noise));
            }
        }
        return picture;
    }
}
