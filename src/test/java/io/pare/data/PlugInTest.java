package io.pare.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.metadata.IIOMetadata;
import javax.imageio.spi.IIORegistry;
import javax.imageio.spi.ImageReaderSpi;
import javax.imageio.stream.ImageInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A format of an ImageIO plug-in: the letter T, then how the reader behaves. */
class PlugInTest {
    private static final BufferedImage PICTURE = Pictures.smooth(32, 32, BufferedImage.TYPE_INT_RGB, 1);

    @TempDir
    Path folder;

    private final Toy toy = new Toy();

    @BeforeEach
    void register() {
        IIORegistry.getDefaultInstance().registerServiceProvider(toy);
    }

    @AfterEach
    void deregister() {
        IIORegistry.getDefaultInstance().deregisterServiceProvider(toy);
    }

    @Test
    void itsPicturesAreRead() throws IOException {
        Corpus corpus = load(OddImages.refused());
        assertEquals(5, corpus.train().size());
        assertEquals(PICTURE.getRGB(5, 4) >>> 8 & 0xff, corpus.train().pixel(4, 1024 + 4 * 32 + 5));
    }

    @Test
    void whatTakesTooMuchMemoryIsDamagedAndMayBeSkipped() throws IOException {
        for (String how : List.of("T memory", "T header")) {
            Files.writeString(Files.createDirectories(folder.resolve("train/one")).resolve("q.png"), how);
            List<String> notes = new ArrayList<>();
            assertEquals(5,
                    load(new OddImages(OddImages.Rule.SKIP, OddImages.Rule.CONVERT, notes::add)).train().size());
            assertEquals(
                    List.of("skipped " + folder.resolve("train/one/q.png") + ": it takes more memory than there is"),
                    notes);
            String message = assertThrows(DataException.class, () -> load(OddImages.refused())).getMessage();
            assertTrue(message.contains("q.png takes more memory than there is: replace"), message);
        }
    }

    private Corpus load(OddImages odd) throws IOException {
        Pictures.folder(folder, 2, 32, 32, ".png");
        // Its content counts, not its name.
        Files.writeString(folder.resolve("train/two/r.png"), "T good");
        return ImageFolder.load(folder, new ImageFolder.Shape(3, 32, 32, 0), odd, 2);
    }

    private static final class Toy extends ImageReaderSpi {
        Toy() {
            super("Pare", "1", new String[]{"toy"}, new String[]{"toy"}, null, ToyReader.class.getName(),
                    new Class<?>[]{ImageInputStream.class}, null, false, null, null, null, null, false, null, null,
                    null, null);
        }

        @Override
        public boolean canDecodeInput(Object source) throws IOException {
            ImageInputStream in = (ImageInputStream) source;
            in.mark();
            int first = in.read();
            in.reset();
            return first == 'T';
        }

        @Override
        public ImageReader createReaderInstance(Object extension) {
            return new ToyReader(this);
        }

        @Override
        public String getDescription(Locale locale) {
            return "a format for this test";
        }
    }

    private static final class ToyReader extends ImageReader {
        ToyReader(ImageReaderSpi provider) {
            super(provider);
        }

        private String behaviour() throws IOException {
            ImageInputStream in = (ImageInputStream) getInput();
            in.seek(0);
            return in.readLine();
        }

        @Override
        public int getNumImages(boolean search) {
            return 1;
        }

        @Override
        public int getWidth(int index) throws IOException {
            if (behaviour().equals("T header")) {
                throw new OutOfMemoryError("header");
            }
            return PICTURE.getWidth();
        }

        @Override
        public int getHeight(int index) {
            return PICTURE.getHeight();
        }

        @Override
        public Iterator<ImageTypeSpecifier> getImageTypes(int index) {
            return List.of(ImageTypeSpecifier.createFromRenderedImage(PICTURE)).iterator();
        }

        @Override
        public IIOMetadata getStreamMetadata() {
            return null;
        }

        @Override
        public IIOMetadata getImageMetadata(int index) {
            return null;
        }

        @Override
        public BufferedImage read(int index, ImageReadParam param) throws IOException {
            if (behaviour().equals("T memory")) {
                throw new OutOfMemoryError("picture");
            }
            return PICTURE;
        }
    }
}
