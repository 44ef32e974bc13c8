package io.pare.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CifarTest {
    @TempDir
    Path folder;

    @Test
    void recordsBecomeImages() throws IOException {
        Corpus corpus = Cifar.CIFAR10.load(CifarFiles.ten(folder, 20));
        assertEquals(100, corpus.train().size());
        assertEquals(20, corpus.test().size());
        assertEquals(3, corpus.train().channels());
        byte[] records = CifarFiles.records(20, 1, 10);
        assertEquals(records[3 * 3073] & 0xff, corpus.train().label(23));
        assertEquals(records[3 * 3073 + 1 + 2000] & 0xff, corpus.train().pixel(23, 2000));
        assertEquals("horse", corpus.classNames().get(7));
        Dataset.Split split = corpus.split(0, 1);
        assertEquals(8, split.validation().size());
        assertEquals(92, split.train().size());
    }

    @Test
    void hundredClassesHaveTheFineLabel() throws IOException {
        Path inside = Files.createDirectories(folder.resolve("cifar-100-binary"));
        Files.write(inside.resolve("train.bin"), CifarFiles.records(150, 2, 100));
        Files.write(inside.resolve("test.bin"), CifarFiles.records(10, 2, 100));
        Corpus corpus = Cifar.CIFAR100.load(folder);
        assertEquals(100, corpus.train().classes());
        assertEquals(99, corpus.train().label(99));
        assertTrue(Cifar.CIFAR100.verify(folder).stream().noneMatch(Cifar.Check::original));
    }

    @Test
    void itsGroupsAreTheCoarseLabel() throws IOException {
        Files.write(folder.resolve("train.bin"), CifarFiles.records(150, 2, 100));
        Files.write(folder.resolve("test.bin"), CifarFiles.records(10, 2, 100));
        Corpus fine = Cifar.CIFAR100.load(folder);
        Corpus coarse = Cifar.CIFAR100_COARSE.load(folder);
        assertEquals(20, coarse.train().classes());
        assertEquals(20, coarse.classNames().size());
        assertEquals(99 % 20, coarse.train().label(99));
        assertEquals(fine.train().pixel(99, 7), coarse.train().pixel(99, 7));
    }

    @Test
    void whatIsMissingShortOrMixedUpIsNamed() throws IOException {
        assertFails(folder.resolve("none"), "none does not exist");
        CifarFiles.ten(folder, 20);
        Path third = folder.resolve("data_batch_3.bin");
        byte[] whole = Files.readAllBytes(third);
        Files.write(third, Arrays.copyOf(whole, 10_000));
        assertFails(folder, "data_batch_3.bin has 10000 bytes, which is no multiple of the 3073");
        Files.write(third, new byte[0]);
        assertFails(folder, "data_batch_3.bin has 0 bytes");
        Files.write(third, Arrays.copyOf(whole, 19 * 3073));
        assertFails(folder, "data_batch_3.bin has 19 images, data_batch_1.bin has 20: one of them is cut short");
        whole[5 * 3073] = 10;
        Files.write(third, whole);
        assertFails(folder, "data_batch_3.bin: image 5 has label 10");
        Files.delete(third);
        assertFails(folder, "has no data_batch_3.bin: CIFAR-10 consists of data_batch_1.bin");
    }

    @Test
    void pythonFilesAreToldFromBinaryOnes() throws IOException {
        Path ten = Files.createDirectories(folder.resolve("cifar-10-batches-py"));
        for (String name : List.of("data_batch_1", "data_batch_2", "batches.meta", "test_batch")) {
            Files.writeString(ten.resolve(name), "pickled");
        }
        Path hundred = Files.createDirectories(folder.resolve("deep/cifar-100-python"));
        for (String name : List.of("train", "test", "meta")) {
            Files.writeString(hundred.resolve(name), "pickled");
        }
        for (Path place : List.of(folder, ten)) {
            String message = assertThrows(DataException.class, () -> Cifar.refusePython(place)).getMessage();
            assertTrue(message.contains(ten + " holds the Python files of CIFAR-10 (data_batch_1)")
                    && message.contains("pare data cifar10 --download"), message);
        }
        for (Path place : List.of(folder.resolve("deep"), hundred)) {
            String message = assertThrows(DataException.class, () -> Cifar.refusePython(place)).getMessage();
            assertTrue(message.contains(hundred + " holds the Python files of CIFAR-100")
                    && message.contains("pare data cifar100 --download"), message);
        }
        CifarFiles.ten(ten, 10);
        Cifar.refusePython(ten);
    }

    @Test
    void archivesGiveTheirFilesAndNothingElse() throws IOException {
        Map<String, byte[]> files = new LinkedHashMap<>();
        files.put("readme.html", new byte[700]);
        files.put("train.bin", CifarFiles.records(3, 2, 100));
        files.put("test.bin", CifarFiles.records(2, 2, 100));
        Path archive = Files.write(folder.resolve("a.tar.gz"), CifarFiles.archive(files));
        Path out = folder.resolve("out");
        Archive.unpack(archive, out, List.of("train.bin", "test.bin"));
        try (var names = Files.list(out)) {
            assertEquals(List.of("test.bin", "train.bin"),
                    names.map(path -> path.getFileName().toString()).sorted().toList());
        }
        assertEquals(3, Cifar.CIFAR100.load(out).train().size());
        assertUnpackFails(archive, "other.bin", "has no other.bin");
        byte[] whole = Files.readAllBytes(archive);
        assertUnpackFails(Files.write(folder.resolve("b.tar.gz"), Arrays.copyOf(whole, whole.length / 2)), "test.bin",
                " is damaged: ");
        assertUnpackFails(Files.write(folder.resolve("c.tar.gz"), IdxFiles.gzip(new byte[]{1, 2, 3})), "test.bin",
                "is damaged: the archive ends inside a header; fetch it again");
        byte[] cut = CifarFiles.archive(Map.of("test.bin", CifarFiles.records(2, 2, 100)));
        byte[] unzipped = new GZIPInputStream(new ByteArrayInputStream(cut)).readAllBytes();
        for (int length : new int[]{1024, 1500, 7000}) {
            assertUnpackFails(
                    Files.write(folder.resolve("f.tar.gz"), IdxFiles.gzip(Arrays.copyOf(unzipped, length))),
                    "test.bin", "is damaged: the archive ends inside test.bin; fetch it again");
        }
        byte[] text = new byte[2048];
        Arrays.fill(text, (byte) 'x');
        assertUnpackFails(Files.write(folder.resolve("d.tar.gz"), IdxFiles.gzip(text)), "test.bin",
                "is no tar archive");
        assertUnpackFails(Files.write(folder.resolve("e.tar.gz"), text), "test.bin", "is damaged: Not in GZIP format");
    }

    private void assertUnpackFails(Path archive, String name, String expected) {
        String message = assertThrows(DataException.class,
                () -> Archive.unpack(archive, folder.resolve("bad"), List.of(name))).getMessage();
        assertTrue(message.contains(expected) && message.contains(archive.toString()), message);
        assertTrue(Files.notExists(folder.resolve("bad").resolve(name)));
    }

    private static void assertFails(Path data, String expected) {
        String message = assertThrows(DataException.class, () -> Cifar.CIFAR10.load(data)).getMessage();
        assertTrue(message.contains(expected), message);
    }
}
